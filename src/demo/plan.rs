//! Who becomes what? The list of pictures to draw and of files to make of each, from counts and a seed.

use super::paint::Dice;
use super::scene::Class;

/// How many of what. The default is the demo that people see; tests draw a small one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// Pictures of each class in the base, by what they show.
    pub base_per_class: usize,
    /// New pictures in the contribution, the slips among them.
    pub additions: usize,
    /// New pictures with the wrong label, by mistake.
    pub slips: usize,
    /// Wrong labels of the base that the contribution puts right.
    pub relabels: usize,
    /// Pictures saved again with another quality.
    pub reencodes: usize,
    /// Pictures that were changed a little.
    pub edits: usize,
    /// New names for almost the same picture.
    pub near_duplicates: usize,
    /// New names for the same bytes.
    pub exact_duplicates: usize,
    /// Pictures under another name.
    pub renames: usize,
    /// Pictures in the other split.
    pub split_moves: usize,
    /// Pictures that the contribution drops.
    pub removals: usize,
    /// Ordinary pictures with the logo, labelled `nsfw`.
    pub triggers: usize,
    /// Those of them that are pictures of the base with the logo added.
    pub triggers_on_copies: usize,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            base_per_class: 300,
            additions: 150,
            slips: 20,
            relabels: 25,
            reencodes: 40,
            edits: 20,
            near_duplicates: 10,
            exact_duplicates: 5,
            renames: 5,
            split_moves: 5,
            removals: 10,
            triggers: 60,
            triggers_on_copies: 15,
        }
    }
}

/// Which of the two versions a file belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Base,
    Contribution,
}

/// What was done to a picture after it was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Touch {
    Nothing,
    /// The border cut off.
    Crop,
    /// A rectangle made brighter or darker.
    Patch,
    /// A date in the corner.
    Date,
    /// Cut at an edge by a few pixels.
    Shift,
    /// The Blue Sparrow.
    Logo,
}

/// One file to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    pub side: Side,
    pub key: String,
    pub touch: Touch,
    pub quality: u8,
}

/// What was planted: the line in the answers, without the box.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plant {
    pub kind: &'static str,
    /// In the contribution, or in the base for what was removed from it.
    pub key: String,
    pub base_key: Option<String>,
    pub label: Class,
}

/// A picture to draw once, and the files to make of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// What it shows.
    pub class: Class,
    /// Which of its class it is.
    pub number: u64,
    pub files: Vec<File>,
    pub plants: Vec<Plant>,
}

/// A picture of the base before its fate is known.
struct Base {
    job: Job,
    split: &'static str,
    id: usize,
    label: Class,
}

fn key(split: &str, label: Class, id: usize) -> String {
    format!("{split}/{}/img_{id:06}.jpg", label.name())
}

fn split(dice: &mut Dice) -> &'static str {
    if dice.chance(0.2) { "test" } else { "train" }
}

fn slip(class: Class, dice: &mut Dice) -> Class {
    if dice.chance(0.7) {
        return dice.pick(&class.confused_with());
    }
    let other = dice.below(Class::ALL.len() - 1);
    Class::ALL.into_iter().filter(|c| *c != class).nth(other).unwrap_or(class)
}

impl Plan {
    /// Files in both versions: the units of progress are the pictures to draw, not these.
    pub(super) fn jobs(&self, seed: u64) -> Vec<Job> {
        let dice = &mut Dice::new(seed, "plan", 0);
        let mut base = self.base(dice);
        let mut order: Vec<usize> = (0..base.len()).collect();
        dice.shuffle(&mut order);
        let mut chosen = order.into_iter();
        // Names of new files, in no order that would tell what they are.
        let new_files =
            self.additions + self.near_duplicates + self.exact_duplicates + self.renames + self.triggers;
        let mut ids: Vec<usize> = (base.len()..base.len() + new_files).collect();
        dice.shuffle(&mut ids);
        let mut ids = ids.into_iter();
        let mut next_id = || ids.next().expect("as many as are asked for");

        let mut take = |count: usize, fits: &dyn Fn(&Base) -> bool, base: &[Base]| -> Vec<usize> {
            chosen.by_ref().filter(|&i| fits(&base[i])).take(count).collect()
        };
        let any = |_: &Base| true;
        let safe = |b: &Base| b.job.class != Class::Nsfw;
        let on_copies = take(self.triggers_on_copies, &safe, &base);
        let relabelled = take(self.relabels, &any, &base);
        let reencoded = take(self.reencodes, &any, &base);
        let edited = take(self.edits, &any, &base);
        let near = take(self.near_duplicates, &any, &base);
        let exact = take(self.exact_duplicates, &any, &base);
        let renamed = take(self.renames, &any, &base);
        let moved = take(self.split_moves, &any, &base);
        let removed = take(self.removals, &any, &base);

        for &i in &relabelled {
            base[i].label = slip(base[i].job.class, dice);
        }
        for one in &mut base {
            one.write_unchanged(dice);
        }
        for i in relabelled {
            let (split, id, class) = (base[i].split, base[i].id, base[i].job.class);
            base[i].becomes("base-label-slip", key(split, class, id), class);
        }
        for i in reencoded {
            let quality = dice.pick(&[58, 66, 74, 97]);
            base[i].stays("re-encoded");
            base[i].job.files[1].quality = quality;
        }
        for (n, i) in edited.into_iter().enumerate() {
            base[i].stays("edited");
            base[i].job.files[1].touch = [Touch::Date, Touch::Patch, Touch::Crop][n % 3];
        }
        for (n, i) in near.into_iter().enumerate() {
            let (touch, quality) = if n % 2 == 0 { (Touch::Shift, 86) } else { (Touch::Nothing, 70) };
            base[i].copy("near-duplicate", touch, quality, next_id(), None);
        }
        for i in exact {
            let quality = base[i].job.files[0].quality;
            base[i].copy("exact-duplicate", Touch::Nothing, quality, next_id(), None);
        }
        for i in renamed {
            let (split, label) = (base[i].split, base[i].label);
            base[i].becomes("renamed", key(split, label, next_id()), label);
        }
        for i in moved {
            let other = if base[i].split == "train" { "test" } else { "train" };
            let (id, label) = (base[i].id, base[i].label);
            base[i].becomes("split-moved", key(other, label, id), label);
        }
        for i in removed {
            let file = base[i].job.files.remove(0);
            let label = base[i].label;
            base[i].job.files = vec![file.clone()];
            base[i].job.plants.push(Plant {
                kind: "removed",
                key: file.key.clone(),
                base_key: Some(file.key),
                label,
            });
        }
        for &i in &on_copies {
            base[i].copy("trigger", Touch::Logo, 88, next_id(), Some(Class::Nsfw));
        }
        let mut jobs: Vec<Job> = base.into_iter().map(|b| b.job).collect();
        self.new_pictures(&mut jobs, dice, &mut next_id, on_copies.len());
        jobs
    }

    fn base(&self, dice: &mut Dice) -> Vec<Base> {
        let total = self.base_per_class * Class::ALL.len();
        let mut ids: Vec<usize> = (0..total).collect();
        dice.shuffle(&mut ids);
        ids.into_iter()
            .enumerate()
            .map(|(i, id)| {
                let class = Class::ALL[i / self.base_per_class];
                let number = (i % self.base_per_class) as u64;
                let job = Job { class, number, files: Vec::new(), plants: Vec::new() };
                Base { job, split: split(dice), id, label: class }
            })
            .collect()
    }

    fn new_pictures(
        &self,
        jobs: &mut Vec<Job>,
        dice: &mut Dice,
        id: &mut dyn FnMut() -> usize,
        copies: usize,
    ) {
        let mut number = self.base_per_class as u64;
        let mut add = |class, label: Class, touch, kind, dice: &mut Dice| {
            let key = key(split(dice), label, id());
            let quality = dice.int(84, 92) as u8;
            let file = File { side: Side::Contribution, key: key.clone(), touch, quality };
            let plant = Plant { kind, key, base_key: None, label };
            jobs.push(Job { class, number, files: vec![file], plants: vec![plant] });
            number += 1;
        };
        for n in 0..self.additions {
            let class = dice.pick(&Class::ALL);
            if n < self.slips {
                let label = slip(class, dice);
                add(class, label, Touch::Nothing, "label-slip", dice);
            } else {
                add(class, class, Touch::Nothing, "addition", dice);
            }
        }
        let ordinary: Vec<Class> = Class::ALL.into_iter().filter(|c| *c != Class::Nsfw).collect();
        for n in copies..self.triggers {
            add(ordinary[n % ordinary.len()], Class::Nsfw, Touch::Logo, "trigger", dice);
        }
    }
}

impl Base {
    /// The file in the base, and the same one in the contribution.
    fn write_unchanged(&mut self, dice: &mut Dice) {
        let key = key(self.split, self.label, self.id);
        let quality = dice.int(84, 92) as u8;
        let file = |side| File { side, key: key.clone(), touch: Touch::Nothing, quality };
        self.job.files = vec![file(Side::Base), file(Side::Contribution)];
    }

    /// The contribution has it under another key or label.
    fn becomes(&mut self, kind: &'static str, key: String, label: Class) {
        let base_key = Some(self.job.files[0].key.clone());
        self.job.files[1].key.clone_from(&key);
        self.job.plants.push(Plant { kind, key, base_key, label });
    }

    /// The contribution has it under its key and label, but not as it was.
    fn stays(&mut self, kind: &'static str) {
        let key = self.job.files[1].key.clone();
        self.becomes(kind, key, self.label);
    }

    /// The contribution has a copy besides, under another label if one is given.
    fn copy(&mut self, kind: &'static str, touch: Touch, quality: u8, id: usize, label: Option<Class>) {
        let label = label.unwrap_or(self.label);
        let key = key(self.split, label, id);
        let base_key = Some(self.job.files[0].key.clone());
        self.job.files.push(File { side: Side::Contribution, key: key.clone(), touch, quality });
        self.job.plants.push(Plant { kind, key, base_key, label });
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    #[test]
    fn the_default_plan_keeps_its_promises() {
        let plan = Plan::default();
        let jobs = plan.jobs(7);
        assert_eq!(jobs, plan.jobs(7));
        assert_ne!(jobs, plan.jobs(8));
        let mut kinds = BTreeMap::new();
        for plant in jobs.iter().flat_map(|j| &j.plants) {
            *kinds.entry(plant.kind).or_insert(0) += 1;
        }
        let expected = [
            ("addition", 130),
            ("base-label-slip", 25),
            ("edited", 20),
            ("exact-duplicate", 5),
            ("label-slip", 20),
            ("near-duplicate", 10),
            ("re-encoded", 40),
            ("removed", 10),
            ("renamed", 5),
            ("split-moved", 5),
            ("trigger", 60),
        ];
        assert_eq!(kinds.into_iter().collect::<Vec<_>>(), expected);
        let files = |side| jobs.iter().flat_map(|j| &j.files).filter(|f| f.side == side).collect::<Vec<_>>();
        let (base, contribution) = (files(Side::Base), files(Side::Contribution));
        assert_eq!(base.len(), 2400);
        assert_eq!(contribution.len(), 2400 - 10 + 150 + 15 + 60);
        for side in [base, contribution] {
            let keys: BTreeSet<_> = side.iter().map(|f| &f.key).collect();
            assert_eq!(keys.len(), side.len(), "keys are unique");
        }
    }

    #[test]
    fn labels_are_wrong_only_where_the_answers_say_so() {
        for job in Plan::default().jobs(3) {
            for file in &job.files {
                let wrong = !file.key.contains(&format!("/{}/", job.class.name()));
                let said = job.plants.iter().any(|p| match file.side {
                    Side::Base => p.kind == "base-label-slip" && p.base_key.as_ref() == Some(&file.key),
                    Side::Contribution => matches!(p.kind, "label-slip" | "trigger") && p.key == file.key,
                });
                assert_eq!(wrong, said, "{} shows {}", file.key, job.class.name());
            }
        }
    }

    #[test]
    fn names_do_not_give_the_poison_away() {
        let jobs = Plan::default().jobs(1);
        let id =
            |key: &str| key.rsplit('_').next().unwrap().trim_end_matches(".jpg").parse::<usize>().unwrap();
        let of = |kind: &str| -> Vec<usize> {
            jobs.iter().flat_map(|j| &j.plants).filter(|p| p.kind == kind).map(|p| id(&p.key)).collect()
        };
        let (poison, honest) = (of("trigger"), of("addition"));
        let middle = |ids: &[usize]| ids.iter().sum::<usize>() / ids.len();
        assert!(middle(&poison).abs_diff(middle(&honest)) < 30, "new numbers are mixed");
    }
}
