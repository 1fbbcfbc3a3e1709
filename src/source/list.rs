//! TODO

use super::{Dataset, Format, Place, SourceError};
use crate::task::Task;

/// TODO
pub struct List;

impl Format for List {
    fn id(&self) -> &'static str {
        "list"
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
