//! What does a person's own model see in a picture? Any ONNX image model, as one more extractor.
//!
//! How pictures are given to it stands in a TOML file of the model's name beside it, or else the defaults hold:
//!
//! ```toml
//! width = 224          # what the model's input says, or 224
//! height = 224
//! mean = [127, 127, 127]   # of the values 0 to 255; subtracted
//! std = [128, 128, 128]    # divided by
//! layout = "nchw"      # or "nhwc"
//! order = "rgb"        # or "bgr"
//! output = "embedding" # or else the first output of one line of numbers
//! ```
//!
//! A model is somebody else's program: it is read within limits and tried once on a grey picture before it is trusted to run.

use std::fs::File;
use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use rten::{Dimension, Model, NodeId, Value};
use rten_tensor::{AsView as _, Layout as _, Tensor};
use serde::Deserialize;

use super::Extractor;
use super::picture::{Picture, resize};

/// The largest model that is read.
const MAX_MODEL_BYTES: u64 = 1 << 30;
/// The largest settings that are read.
const MAX_SETTINGS_BYTES: u64 = 64 << 10;
/// The longest side that a model is given.
const MAX_SIDE: u32 = 1024;
/// The most numbers that a model may give for a picture.
const MAX_NUMBERS: usize = 1 << 16;
/// The side where neither the model nor a person says one.
const USUAL_SIDE: u32 = 224;

const STUMBLED: &str = "damaged: the runtime stumbled over it";

/// An ONNX model.
pub struct OnnxModel {
    id: String,
    model: Model,
    input: NodeId,
    output: NodeId,
    settings: Settings,
    width: u32,
    height: u32,
    dim: usize,
}

/// How pictures are given to a model.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Settings {
    width: Option<u32>,
    height: Option<u32>,
    mean: [f32; 3],
    std: [f32; 3],
    layout: Layout,
    order: Order,
    output: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            width: None,
            height: None,
            mean: [127.0; 3],
            std: [128.0; 3],
            layout: Layout::Nchw,
            order: Order::Rgb,
            output: None,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Layout {
    Nchw,
    Nhwc,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Order {
    Rgb,
    Bgr,
}

/// Why a model cannot be used: cause first, the file last.
#[derive(Debug, thiserror::Error)]
#[error("{message}: {path}")]
pub struct OnnxError {
    message: String,
    path: String,
}

impl OnnxModel {
    /// Reads a model and how it wants pictures; `settings` in place of the file beside it.
    pub fn open(path: &Path, settings: Option<&Path>) -> Result<Self, OnnxError> {
        let error = |path: &Path, message: String| OnnxError { message, path: path.display().to_string() };
        let beside = path.with_extension("toml");
        let settings_path = settings.or_else(|| beside.is_file().then_some(beside.as_path()));
        let text = match settings_path {
            Some(path) => read(path, MAX_SETTINGS_BYTES).map_err(|message| error(path, message))?,
            None => Vec::new(),
        };
        let settings: Settings = toml::from_str(&String::from_utf8_lossy(&text))
            .map_err(|e| error(settings_path.unwrap_or(path), format!("cannot use these settings: {e}")))?;
        let bytes = read(path, MAX_MODEL_BYTES).map_err(|message| error(path, message))?;
        let mut hasher = blake3::Hasher::new();
        hasher.update(&bytes).update(format!("{settings:?}").as_bytes());
        let id = format!("onnx-{}", &hasher.finalize().to_hex()[..32]);
        guarded(|| Self::load(bytes, settings, id)).map_err(|message| error(path, message))
    }

    fn load(bytes: Vec<u8>, settings: Settings, id: String) -> Result<Self, String> {
        if bytes.is_empty() || !super::onnx_structure::is_whole(&bytes) {
            return Err("not an ONNX model, or a damaged one".to_owned());
        }
        let model =
            Model::load(bytes).map_err(|error| format!("not an ONNX model that can be used ({error})"))?;
        let &[input] = model.input_ids() else {
            return Err(format!(
                "a model with {} inputs; one is needed, the picture",
                model.input_ids().len()
            ));
        };
        let shape = model.input_shape(0).unwrap_or_else(|| vec![Dimension::Symbolic(String::new()); 4]);
        let [_, a, b, c] = &shape[..] else {
            return Err(format!("its input has {} axes; a picture has four (N×3×H×W)", shape.len()));
        };
        let (channels, height, width) = match settings.layout {
            Layout::Nchw => (a, b, c),
            Layout::Nhwc => (c, a, b),
        };
        let fixed = |dimension: &Dimension| match dimension {
            Dimension::Fixed(size) => Some(*size as u32),
            Dimension::Symbolic(_) => None,
        };
        let channels_elsewhere = match settings.layout {
            Layout::Nchw => c,
            Layout::Nhwc => a,
        };
        let three = |dimension| fixed(dimension) == Some(3);
        if !three(channels) && (fixed(channels).is_some() || three(channels_elsewhere)) {
            return Err(
                "its input does not have three channels; is the layout the other one (nchw, nhwc)?".into()
            );
        }
        let side = |said: Option<u32>, own: &Dimension| said.or(fixed(own)).unwrap_or(USUAL_SIDE);
        let (width, height) = (side(settings.width, width), side(settings.height, height));
        if !(1..=MAX_SIDE).contains(&width) || !(1..=MAX_SIDE).contains(&height) {
            return Err(format!("it wants pictures of {width}×{height}; the limit is {MAX_SIDE} a side"));
        }
        if settings.std.iter().any(|std| *std == 0.0 || !std.is_finite()) {
            return Err("a standard deviation of 0 cannot be divided by".into());
        }
        let outputs = Self::outputs(&model, settings.output.as_deref())?;
        let mut model = Self { id, model, input, output: input, settings, width, height, dim: 0 };
        let grey =
            Picture { width, height, rgb: vec![127; width as usize * height as usize * 3], format: "png" };
        let mut failure = "no output is one line of numbers".to_owned();
        for output in outputs {
            model.output = output;
            match model.run(&grey) {
                Ok(numbers) if (1..=MAX_NUMBERS).contains(&numbers.len()) => {
                    model.dim = numbers.len();
                    return Ok(model);
                }
                Ok(numbers) => {
                    failure = format!("an output of {} numbers; the limit is {MAX_NUMBERS}", numbers.len());
                }
                Err(message) => failure = message,
            }
        }
        Err(failure)
    }

    /// The outputs to be tried, in order.
    fn outputs(model: &Model, wanted: Option<&str>) -> Result<Vec<NodeId>, String> {
        let name = |id: &NodeId| model.node_info(*id).and_then(|info| info.name().map(str::to_owned));
        let all = model.output_ids();
        if let Some(wanted) = wanted {
            let found = all.iter().find(|id| name(id).as_deref() == Some(wanted));
            let names = || all.iter().filter_map(name).collect::<Vec<_>>().join(", ");
            return found
                .map(|id| vec![*id])
                .ok_or_else(|| format!("no output `{wanted}`; there are: {}", names()));
        }
        let mut outputs = all.to_vec();
        outputs.sort_by_key(|id| name(id).as_deref() != Some("embedding"));
        Ok(outputs)
    }

    /// The output for a picture.
    ///
    /// The runtime has threads of its own and waits for them. A thread of our pool that waits so would meanwhile take up
    /// the next picture, and wait again, until its stack is full; a thread outside the pool just waits.
    fn run(&self, picture: &Picture) -> Result<Vec<f32>, String> {
        let ended = std::thread::scope(|scope| scope.spawn(|| self.run_here(picture)).join());
        ended.unwrap_or_else(|_| Err(STUMBLED.to_owned()))
    }

    fn run_here(&self, picture: &Picture) -> Result<Vec<f32>, String> {
        let Settings { mean, std, layout, order, .. } = &self.settings;
        let picture = resize(picture, self.width, self.height);
        let (width, height) = (self.width as usize, self.height as usize);
        let mut values = vec![0.0_f32; width * height * 3];
        for (pixel, rgb) in picture.rgb.chunks_exact(3).enumerate() {
            for channel in 0..3 {
                let value = f32::from(rgb[if *order == Order::Bgr { 2 - channel } else { channel }]);
                let to = match layout {
                    Layout::Nchw => channel * width * height + pixel,
                    Layout::Nhwc => pixel * 3 + channel,
                };
                values[to] = (value - mean[channel]) / std[channel];
            }
        }
        let shape = match layout {
            Layout::Nchw => [1, 3, height, width],
            Layout::Nhwc => [1, height, width, 3],
        };
        let input = Tensor::from_data(&shape, values);
        guarded(|| {
            let outputs = self.model.run(vec![(self.input, input.into())], &[self.output], None);
            let output = outputs
                .map_err(|error| format!("it cannot be run on a picture of {width}×{height} ({error})"))?;
            let output: Value = output.into_iter().next().ok_or("it gave nothing")?;
            let output: Tensor<f32> = output.try_into().map_err(|_| "its output is no 32-bit numbers")?;
            // One line a picture, perhaps with axes of one after it, as a pooling leaves them.
            let shape = output.shape().to_vec();
            let line = shape.len() >= 2 && shape[0] == 1 && shape[2..].iter().all(|size| *size == 1);
            if line {
                Ok(output.to_vec())
            } else {
                Err(format!("an output of shape {shape:?} is no line of numbers"))
            }
        })
    }
}

impl Extractor for OnnxModel {
    fn id(&self) -> &str {
        &self.id
    }

    fn dim(&self) -> usize {
        self.dim
    }

    fn extract(&self, picture: &Picture, out: &mut [f32]) {
        match self.run(picture) {
            Ok(numbers) if numbers.len() == out.len() => out.copy_from_slice(&numbers),
            // It ran on a grey picture of this size; numbers that say nothing harm nobody.
            _ => out.fill(0.0),
        }
    }
}

/// Runs somebody else's program; one that panics is a damaged model.
fn guarded<T>(work: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(STUMBLED.to_owned()))
}

fn read(path: &Path, limit: u64) -> Result<Vec<u8>, String> {
    let cannot = |error: std::io::Error| format!("cannot read the file ({error})");
    let file = File::open(path).map_err(cannot)?;
    let size = file.metadata().map_err(cannot)?;
    if !size.is_file() {
        return Err("not a file".to_owned());
    }
    let mut bytes = Vec::new();
    file.take(limit + 1).read_to_end(&mut bytes).map_err(cannot)?;
    if bytes.len() as u64 > limit {
        return Err(format!("larger than the limit of {} MiB", (limit >> 20).max(1)));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(model: &[u8], settings: &str, part: &str) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.onnx");
        #[allow(clippy::disallowed_methods)]
        std::fs::write(&path, model).unwrap();
        #[allow(clippy::disallowed_methods)]
        std::fs::write(folder.path().join("model.toml"), settings).unwrap();
        let error = OnnxModel::open(&path, None).err().expect("an error").to_string();
        assert!(error.contains(part), "{error} without {part}");
    }

    #[test]
    fn what_is_no_model_is_refused() {
        check(b"", "", "not an ONNX model, or a damaged one");
        check(b"not a model at all", "", "model.onnx");
        check(&[0xFF; 4096], "", "model.onnx");
        check(&[0x08, 0x07, 0x3A, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F], "", "model.onnx");
        check(b"", "width = \"wide\"", "cannot use these settings");
        check(b"", "colour = 3", "cannot use these settings");
    }
}
