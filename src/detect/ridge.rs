//! How does a picture's class follow from its numbers? K-fold ridge regression on one-hot labels.
