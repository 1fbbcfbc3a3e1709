//! What is searched? Photos with their points, some suspected and some not.
// What is compiled for the processor at hand must be inlined into the place where that is chosen.
#![allow(clippy::inline_always)]

use std::collections::BTreeMap;

use crate::feature::local::{DESCRIPTOR, LocalPoints, Point};

/// One picture in a search.
#[derive(Debug, Clone, Copy)]
pub(super) struct Photo<'a> {
    /// Which of the caller's pictures it is.
    pub(super) id: u32,
    pub(super) local: &'a LocalPoints,
    /// Its class; photos that are compared across versions share the numbers.
    pub(super) label: u32,
    /// Part of what is trusted: a mark that these have too is none.
    pub(super) background: bool,
}

/// What to search: suspected photos first, then the background.
pub(super) struct Photos<'a> {
    pub(super) all: Vec<Photo<'a>>,
    /// Whether photos share something suspicious only within a label, and other labels are background too.
    pub(super) by_label: bool,
    /// How many suspects each label has.
    of_label: BTreeMap<u32, usize>,
    /// How many of them are suspected.
    pub(super) suspects: usize,
    /// Where each photo's points begin among all, and the end.
    pub(super) starts: Vec<u32>,
    /// Which photo each point is of.
    pub(super) photo_of: Vec<u32>,
}

impl<'a> Photos<'a> {
    pub(super) fn new(mut photos: Vec<Photo<'a>>, by_label: bool) -> Self {
        photos.sort_by_key(|photo| photo.background);
        let suspects = photos.iter().filter(|photo| !photo.background).count();
        let mut starts = vec![0];
        let mut photo_of = Vec::new();
        for (at, photo) in photos.iter().enumerate() {
            photo_of.resize(photo_of.len() + photo.local.points.len(), at as u32);
            starts.push(photo_of.len() as u32);
        }
        let mut of_label = BTreeMap::new();
        for photo in &photos[..suspects] {
            *of_label.entry(photo.label).or_default() += 1;
        }
        Self { all: photos, by_label, of_label, suspects, starts, photo_of }
    }

    /// How many suspects have this label.
    pub(super) fn of_label(&self, label: u32) -> usize {
        self.of_label.get(&label).copied().unwrap_or_default()
    }

    /// How many photos are background for a suspect of this label.
    pub(super) fn background_of(&self, label: u32) -> usize {
        let others = if self.by_label { self.suspects - self.of_label(label) } else { 0 };
        self.all.len() - self.suspects + others
    }

    /// Positions of a photo's points among all.
    pub(super) fn range(&self, photo: usize) -> std::ops::Range<usize> {
        self.starts[photo] as usize..self.starts[photo + 1] as usize
    }

    pub(super) fn point(&self, at: u32) -> Point {
        let photo = self.photo_of[at as usize] as usize;
        self.all[photo].local.points[(at - self.starts[photo]) as usize]
    }

    #[inline(always)]
    pub(super) fn descriptor(&self, at: u32) -> &'a [i8; DESCRIPTOR] {
        let photo = self.photo_of[at as usize] as usize;
        &self.all[photo].local.descriptors[(at - self.starts[photo]) as usize]
    }
}

/// Squared distance of two descriptors.
#[inline(always)]
pub(super) fn distance(a: &[i8; DESCRIPTOR], b: &[i8; DESCRIPTOR]) -> i32 {
    let mut sum = 0;
    for (a, b) in a.iter().zip(b) {
        let difference = i32::from(i16::from(*a) - i16::from(*b));
        sum += difference * difference;
    }
    sum
}
