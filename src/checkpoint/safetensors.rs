//! safetensors: a JSON header and raw bytes, which every framework reads.

use std::collections::HashMap;
use std::io::{BufWriter, Write};
use std::path::Path;

use candle_core::{DType, Device};
use serde_json::{Map, Value, json};

use super::write::bytes;
use super::{Fault, StateDict, write_atomic};
use crate::{Error, Result};

/// Writes `state`; atomic, as [`save_pt`](super::save_pt). The same values give the same bytes.
///
/// # Errors
/// [`Error::Io`] when the file cannot be written: the old one is whole then. [`Error::Value`] for a tensor of a type
/// that the format lacks.
pub fn save_safetensors(path: &Path, state: &StateDict) -> Result<()> {
    let mut header = Map::new();
    let mut end = 0;
    for (name, tensor) in state {
        let (start, dtype) = (end, dtype_name(name, tensor.dtype())?);
        end += tensor.elem_count() * tensor.dtype().size_in_bytes();
        let entry = json!({"dtype": dtype, "shape": tensor.dims(), "data_offsets": [start, end]});
        header.insert(name.clone(), entry);
    }
    let mut header = Value::Object(header).to_string().into_bytes();
    header.resize(header.len().next_multiple_of(8), b' ');
    write_atomic(path, |file| {
        let mut out = BufWriter::with_capacity(1 << 20, file);
        let mut put = |bytes: &[u8]| out.write_all(bytes).map_err(Error::io(path));
        put(&(header.len() as u64).to_le_bytes())?;
        put(&header)?;
        for tensor in state.values() {
            put(&bytes(tensor)?)?;
        }
        out.flush().map_err(Error::io(path))
    })
}

fn dtype_name(name: &str, dtype: DType) -> Result<&'static str> {
    Ok(match dtype {
        DType::F64 => "F64",
        DType::F32 => "F32",
        DType::F16 => "F16",
        DType::BF16 => "BF16",
        DType::U32 => "U32",
        DType::I64 => "I64",
        DType::I32 => "I32",
        DType::I16 => "I16",
        DType::U8 => "U8",
        other => {
            return Err(Error::value(format!("`{name}`"), "a type of safetensors", other.as_str()));
        }
    })
}

/// Reads all tensors of a safetensors file, onto the CPU, in the types that they were saved in.
///
/// # Errors
/// [`Error::Checkpoint`] for a file that is cut off, damaged, or not safetensors; [`Error::Io`] when it cannot be
/// opened.
pub fn load_safetensors(path: &Path) -> Result<StateDict> {
    let bytes = std::fs::read(path).map_err(Error::io(path))?;
    let read = candle_core::safetensors::load_buffer(&bytes, &Device::Cpu);
    let tensors: HashMap<_, _> =
        read.map_err(|e| Fault::damaged(format!("not a whole safetensors file: {e}")).at(path))?;
    Ok(tensors.into_iter().collect())
}
