//! Writing PyTorch's zip form.

use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::Path;

use candle_core::{DType, Device, Tensor};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use super::storage::class_of;
use super::{StateDict, write_atomic};
use crate::{Error, Result};

/// Writes `state` so that `torch.load(path, weights_only=True)` gives an ordered dict of it, and `records` beside it
/// in the zip, where PyTorch does not look. The same values give the same bytes.
///
/// f64, f32, f16, bf16, i64, i32, i16 and u8 keep their type; u32 is written as i64. Atomic: see [`write_atomic`].
///
/// # Errors
/// [`Error::Io`] when the file cannot be written (a full disk): the old one is whole then. [`Error::Value`] for a
/// record with one of PyTorch's own names, or a tensor of a type that PyTorch lacks.
pub fn save_pt(path: &Path, state: &StateDict, records: &[(&str, &[u8])]) -> Result<()> {
    for (name, _) in records {
        let torchs = ["", "version", "byteorder", "data.pkl", "constants.pkl"].contains(name);
        if torchs || ["data/", ".", "/"].iter().any(|start| name.starts_with(start)) {
            return Err(Error::value(
                "record",
                "a name that is not one of PyTorch's own",
                format!("`{name}`"),
            ));
        }
    }
    let pickle = pickle(state)?;
    let elements = |tensor: &Tensor| match tensor.dtype() {
        DType::U32 => bytes(&tensor.to_dtype(DType::I64)?),
        _ => bytes(tensor),
    };
    write_atomic(path, |file| {
        let mut out = Quiet::new(file);
        let mut zip = ZipWriter::new(&mut out);
        let mut record = |name: &str, bytes: &[u8]| -> io::Result<()> {
            // PyTorch maps storages into memory when they lie at multiples of 64.
            let options = SimpleFileOptions::default()
                .compression_method(CompressionMethod::Stored)
                .last_modified_time(DateTime::default())
                .large_file(u32::try_from(bytes.len()).is_err())
                .with_alignment(64);
            zip.start_file(format!("archive/{name}"), options)?;
            zip.write_all(bytes)
        };
        record("data.pkl", &pickle).map_err(Error::io(path))?;
        record("byteorder", b"little").map_err(Error::io(path))?;
        for (i, tensor) in state.values().enumerate() {
            record(&format!("data/{i}"), &elements(tensor)?).map_err(Error::io(path))?;
        }
        record("version", b"3\n").map_err(Error::io(path))?;
        for (name, bytes) in records {
            record(name, bytes).map_err(Error::io(path))?;
        }
        zip.finish().map_err(|e| Error::io(path)(e.into()))?;
        out.flush().map_err(Error::io(path))
    })
}

/// The pickle, protocol 2: `OrderedDict()` filled with `_rebuild_tensor_v2(storage, 0, size, stride, False,
/// OrderedDict())`, each storage a persistent id `("storage", torch.FloatStorage, "0", "cpu", numel)`.
fn pickle(state: &StateDict) -> Result<Vec<u8>> {
    const ORDERED_DICT: &[u8] = b"ccollections\nOrderedDict\n)R";
    let mut out = b"\x80\x02".to_vec();
    out.extend(ORDERED_DICT);
    out.push(b'(');
    for (i, (name, tensor)) in state.iter().enumerate() {
        let class = class_of(tensor.dtype()).ok_or_else(|| {
            Error::value(format!("`{name}`"), "a type that PyTorch has", tensor.dtype().as_str())
        })?;
        text(&mut out, name);
        out.extend(b"ctorch._utils\n_rebuild_tensor_v2\n((");
        text(&mut out, "storage");
        out.extend(format!("ctorch\n{class}\n").bytes());
        text(&mut out, &i.to_string());
        text(&mut out, "cpu");
        int(&mut out, tensor.elem_count());
        out.extend(b"tQK\x00");
        ints(&mut out, tensor.dims());
        ints(&mut out, &row_major(tensor.dims()));
        out.push(0x89);
        out.extend(ORDERED_DICT);
        out.extend(b"tR");
    }
    out.extend(b"u.");
    Ok(out)
}

/// The strides of a contiguous tensor.
fn row_major(dims: &[usize]) -> Vec<usize> {
    let mut strides = vec![1; dims.len()];
    for i in (1..dims.len()).rev() {
        strides[i - 1] = strides[i] * dims[i];
    }
    strides
}

fn text(out: &mut Vec<u8>, text: &str) {
    out.push(b'X');
    out.extend((text.len() as u32).to_le_bytes());
    out.extend(text.bytes());
}

fn int(out: &mut Vec<u8>, value: usize) {
    match i32::try_from(value) {
        Ok(value) => {
            out.push(b'J');
            out.extend(value.to_le_bytes());
        }
        Err(_) => {
            out.extend([0x8a, 8]);
            out.extend((value as i64).to_le_bytes());
        }
    }
}

fn ints(out: &mut Vec<u8>, values: &[usize]) {
    out.push(b'(');
    values.iter().for_each(|&value| int(out, value));
    out.push(b't');
}

/// A tensor's elements, row by row, little-endian.
pub(super) fn bytes(tensor: &Tensor) -> Result<Vec<u8>> {
    let flat = tensor.to_device(&Device::Cpu)?.flatten_all()?;
    macro_rules! bytes {
        ($t:ty) => {{
            let values = flat.to_vec1::<$t>()?;
            let mut bytes = vec![0; size_of_val(values.as_slice())];
            for (to, value) in bytes.chunks_exact_mut(size_of::<$t>()).zip(values) {
                to.copy_from_slice(&value.to_le_bytes());
            }
            bytes
        }};
    }
    Ok(match flat.dtype() {
        DType::F64 => bytes!(f64),
        DType::F32 => bytes!(f32),
        DType::F16 => bytes!(half::f16),
        DType::BF16 => bytes!(half::bf16),
        DType::U32 => bytes!(u32),
        DType::I64 => bytes!(i64),
        DType::I32 => bytes!(i32),
        DType::I16 => bytes!(i16),
        _ => flat.to_vec1::<u8>()?,
    })
}

/// After a failed write everything else seems to succeed, into nothing: a `ZipWriter` that is dropped tries to finish its
/// file and would complain on stderr, when the error is on its way to the caller and the file will be removed.
struct Quiet<'a> {
    inner: BufWriter<&'a File>,
    failed: bool,
    position: u64,
    end: u64,
}

impl<'a> Quiet<'a> {
    fn new(file: &'a File) -> Self {
        let inner = BufWriter::with_capacity(1 << 20, file);
        Self { inner, failed: false, position: 0, end: 0 }
    }

    fn note<T>(&mut self, result: io::Result<T>) -> io::Result<T> {
        self.failed |= result.is_err();
        result
    }
}

impl Write for Quiet<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = match self.failed {
            true => bytes.len(),
            false => {
                let result = self.inner.write(bytes);
                self.note(result)?
            }
        };
        self.position += written as u64;
        self.end = self.end.max(self.position);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.failed {
            return Ok(());
        }
        let result = self.inner.flush();
        self.note(result)
    }
}

impl Seek for Quiet<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let (base, offset) = match to {
            SeekFrom::Start(position) => (position, 0),
            SeekFrom::Current(offset) => (self.position, offset),
            SeekFrom::End(offset) => (self.end, offset),
        };
        let position = base.checked_add_signed(offset).ok_or(io::ErrorKind::InvalidInput)?;
        if !self.failed && position != self.position {
            let result = self.inner.seek(SeekFrom::Start(position));
            self.note(result)?;
        }
        self.position = position;
        Ok(position)
    }
}
