//! Which formulas stand behind the figures? Each with its source.
