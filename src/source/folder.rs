//! TODO

use super::{Dataset, Format, Place, SourceError};
use crate::task::Task;

/// TODO
pub struct Folder;

impl Format for Folder {
    fn id(&self) -> &'static str {
        "folder"
    }
    fn summary(&self) -> &'static str {
        "TODO"
    }
    fn sniff(&self, _place: &Place) -> bool {
        todo!()
    }
    fn open(&self, _place: &Place, _task: &Task) -> Result<Dataset, SourceError> {
        todo!()
    }
}
