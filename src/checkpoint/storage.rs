//! PyTorch's storages: flat arrays of one type, on which tensors are views (offset, size, strides).

use candle_core::{DType, Device, Tensor};

use super::Fault;

/// A flat array in the file: `data/KEY` of the zip.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Storage {
    pub key: String,
    pub dtype: DType,
    pub numel: usize,
}

/// A tensor as the pickle describes it: a view on a storage, counted in elements.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct View {
    pub storage: Storage,
    pub offset: usize,
    pub size: Vec<usize>,
    pub stride: Vec<usize>,
}

/// PyTorch's class of a storage with elements of `dtype`; u32, which PyTorch's storages lack, goes as i64.
pub(super) fn class_of(dtype: DType) -> Option<&'static str> {
    Some(match dtype {
        DType::F32 => "FloatStorage",
        DType::F64 => "DoubleStorage",
        DType::F16 => "HalfStorage",
        DType::BF16 => "BFloat16Storage",
        DType::I64 | DType::U32 => "LongStorage",
        DType::I32 => "IntStorage",
        DType::I16 => "ShortStorage",
        DType::U8 => "ByteStorage",
        _ => return None,
    })
}

/// The element type of PyTorch's storage class; booleans are bytes, 0 and 1.
pub(super) fn dtype_of(class: &str) -> Option<DType> {
    Some(match class {
        "FloatStorage" => DType::F32,
        "DoubleStorage" => DType::F64,
        "HalfStorage" => DType::F16,
        "BFloat16Storage" => DType::BF16,
        "LongStorage" => DType::I64,
        "IntStorage" => DType::I32,
        "ShortStorage" => DType::I16,
        "ByteStorage" | "BoolStorage" => DType::U8,
        _ => return None,
    })
}

/// A tensor whose strides repeat elements (`expand`) may not grow beyond this many.
const MOST_REPEATED: usize = 1 << 28;

impl Storage {
    /// Its length in bytes.
    pub fn bytes(&self) -> Result<usize, Fault> {
        self.numel.checked_mul(self.dtype.size_in_bytes()).ok_or_else(|| {
            Fault::damaged(format!("storage {} claims {} elements", self.key, self.numel))
        })
    }
}

impl View {
    /// The tensor, from its storage's bytes: contiguous, on the CPU.
    pub fn tensor(&self, name: &str, bytes: &[u8]) -> Result<Tensor, Fault> {
        let width = self.storage.dtype.size_in_bytes();
        let count = self.checked_count(name)?;
        let tensor = |bytes: &[u8]| {
            Ok(Tensor::from_raw_buffer(bytes, self.storage.dtype, &self.size, &Device::Cpu)?)
        };
        if count == 0 || self.is_contiguous() {
            let start = if count == 0 { 0 } else { self.offset * width };
            return tensor(&bytes[start..start + count * width]);
        }
        let mut gathered = Vec::with_capacity(count * width);
        let mut index = vec![0; self.size.len()];
        let mut at = self.offset;
        for _ in 0..count {
            gathered.extend_from_slice(&bytes[at * width..(at + 1) * width]);
            // One step on, as an odometer: the last dimension runs fastest.
            for (d, i) in index.iter_mut().enumerate().rev() {
                *i += 1;
                at += self.stride[d];
                if *i < self.size[d] {
                    break;
                }
                at -= self.size[d] * self.stride[d];
                *i = 0;
            }
        }
        tensor(&gathered)
    }

    /// The number of elements, when all of them lie inside the storage.
    fn checked_count(&self, name: &str) -> Result<usize, Fault> {
        let outside = || {
            Fault::damaged(format!(
                "`{name}` reaches outside its storage: offset {}, size {:?}, strides {:?}, {} elements",
                self.offset, self.size, self.stride, self.storage.numel
            ))
        };
        let count =
            self.size.iter().try_fold(1usize, |n, &s| n.checked_mul(s)).ok_or_else(outside)?;
        if count == 0 {
            return Ok(0);
        }
        let last =
            self.size.iter().zip(&self.stride).try_fold(self.offset, |at, (&size, &stride)| {
                at.checked_add((size - 1).checked_mul(stride)?)
            });
        let inside = last.is_some_and(|last| last < self.storage.numel);
        if !inside || count > self.storage.numel.max(MOST_REPEATED) {
            return Err(outside());
        }
        Ok(count)
    }

    fn is_contiguous(&self) -> bool {
        let mut expected = 1;
        self.size.iter().zip(&self.stride).rev().all(|(&size, &stride)| {
            let fits = size == 1 || stride == expected;
            expected *= size;
            fits
        })
    }
}
