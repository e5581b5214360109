//! Reading PyTorch's files: the zip form, and the form before version 1.6.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Cursor, Read, Seek};
use std::path::Path;

use zip::ZipArchive;
use zip::result::ZipError;

use super::pickle::{Node, Pickle, unpickle};
use super::storage::{Storage, View};
use super::{Fault, StateDict};
use crate::{Error, Result};

/// What a file of PyTorch's holds.
#[derive(Clone, Debug)]
pub struct PtFile {
    /// The tensors by name, contiguous and on the CPU, in the types that they were saved in.
    pub state: StateDict,
    /// The other records of the zip, by their names below its top folder: ours has `vision_language.json`.
    pub records: BTreeMap<String, Vec<u8>>,
}

/// Reads a state dict that `torch.save` or [`save_pt`](super::save_pt) wrote: flat, or inside a dict under
/// `state_dict`, `model_state_dict`, `model` or as its only dict of tensors.
///
/// Shared storages, any strides, scalars; f64, f32, f16, bf16, i64, i32, i16, u8 and bool (as u8). Nothing of the
/// file is ever executed.
///
/// # Errors
/// [`Error::Checkpoint`] for a file that is cut off or damaged, that is no checkpoint, or whose pickle holds
/// anything but tensors and plain containers: the first such thing is named. [`Error::Io`] when it cannot be opened.
pub fn load_pt(path: &Path) -> Result<PtFile> {
    let mut file = File::open(path).map_err(Error::io(path))?;
    let mut start = Vec::new();
    file.by_ref().take(LEGACY.len() as u64).read_to_end(&mut start).map_err(Error::io(path))?;
    let read = if start.is_empty() {
        Err(Fault::damaged("the file is empty"))
    } else if start == LEGACY {
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(Error::io(path))?;
        read_legacy(&bytes)
    } else if start.starts_with(b"PK\x03\x04") {
        read_zip(BufReader::new(file))
    } else {
        Err(Fault::foreign(
            "not a file that torch.save wrote: neither a zip nor PyTorch's older form",
        ))
    };
    read.map_err(|fault| fault.at(path))
}

/// The records that PyTorch writes, besides `data.pkl` and `data/…`.
const TORCHS_OWN: [&str; 5] =
    ["version", "byteorder", ".format_version", ".storage_alignment", ".data/serialization_id"];

/// A description of tensors that is longer is none.
const LONGEST_PICKLE: u64 = 64 << 20;

/// Reads a checkpoint of the zip form that is in memory; `name` stands for its path in errors.
///
/// # Errors
/// As [`load_pt`].
pub fn load_pt_bytes(name: &Path, bytes: &[u8]) -> Result<PtFile> {
    read_zip(Cursor::new(bytes)).map_err(|fault| fault.at(name))
}

fn read_zip<R: Read + Seek>(file: R) -> Result<PtFile, Fault> {
    let mut zip = ZipArchive::new(file).map_err(|_| {
        Fault::damaged("the zip's table of contents is missing: the file is cut off or damaged")
    })?;
    let names: Vec<String> = zip
        .file_names()
        .map(|name| name.map(|n| n.into_owned()))
        .collect::<Result<_, _>>()
        .map_err(|e| Fault::damaged(format!("its table of contents: {e}")))?;
    let top = names
        .iter()
        .find_map(|n| n.strip_suffix("/data.pkl"))
        .ok_or_else(|| {
            Fault::foreign("a zip, but none that torch.save wrote: it has no `data.pkl`")
        })?
        .to_string();
    if names.iter().any(|n| n.strip_prefix(&top) == Some("/constants.pkl")) {
        return Err(Fault::foreign(
            "a TorchScript archive, which holds a program and not only tensors",
        ));
    }
    if let Some(name) = names.iter().find(|n| n.strip_prefix(&top) == Some("/byteorder"))
        && record(&mut zip, name, None)? != b"little"
    {
        return Err(Fault::foreign("its numbers are big-endian"));
    }
    let bytes = record(&mut zip, &format!("{top}/data.pkl"), None)?;
    let (pickle, _) = unpickle(&bytes)?;
    let state = tensors(&pickle, |storage| {
        record(&mut zip, &format!("{top}/data/{}", storage.key), Some(storage.bytes()?))
    })?;
    let mut records = BTreeMap::new();
    for name in &names {
        let Some(below) = name.strip_prefix(&top).and_then(|n| n.strip_prefix('/')) else {
            continue;
        };
        let torchs =
            below == "data.pkl" || below.starts_with("data/") || TORCHS_OWN.contains(&below);
        if !torchs && !below.ends_with('/') {
            records.insert(below.to_string(), record(&mut zip, name, None)?);
        }
    }
    Ok(PtFile { state, records })
}

/// A record's bytes, of the expected length; its checksum is compared.
fn record<R: Read + Seek>(
    zip: &mut ZipArchive<R>,
    name: &str,
    expected: Option<usize>,
) -> Result<Vec<u8>, Fault> {
    let mut entry = zip.by_name(name).map_err(|e| match e {
        ZipError::FileNotFound => Fault::damaged(format!("its record `{name}` is missing")),
        e => Fault::damaged(format!("its record `{name}`: {e}")),
    })?;
    let len = entry.size();
    if name.ends_with("data.pkl") && len > LONGEST_PICKLE {
        return Err(Fault::foreign(format!(
            "its record `{name}` has {len} bytes: no list of tensors"
        )));
    }
    if let Some(expected) = expected
        && len < expected as u64
    {
        let why = format!("its record `{name}` has {len} bytes, expected {expected}");
        return Err(Fault::damaged(why));
    }
    let mut bytes = Vec::new();
    entry
        .read_to_end(&mut bytes)
        .map_err(|e| Fault::damaged(format!("its record `{name}` cannot be read: {e}")))?;
    if (bytes.len() as u64) < len {
        return Err(Fault::damaged(format!(
            "its record `{name}` ends after {} of {len} bytes",
            bytes.len()
        )));
    }
    Ok(bytes)
}

/// The older form's first pickle: a number to know it by.
const LEGACY: [u8; 15] =
    [0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, b'.'];

/// Four more pickles (a version, the machine, the object, the storages' keys in order), then each storage: its number
/// of elements, as 8 bytes, and its elements.
fn read_legacy(bytes: &[u8]) -> Result<PtFile, Fault> {
    let (_, rest) = unpickle(bytes)?;
    let (_, rest) = unpickle(rest)?;
    let (pickle, rest) = unpickle(rest)?;
    let (keys, mut rest) = unpickle(rest)?;
    let widths: BTreeMap<&str, usize> = pickle
        .nodes
        .iter()
        .filter_map(|node| match node {
            Node::Storage(s) => Some((s.key.as_str(), s.dtype.size_in_bytes())),
            _ => None,
        })
        .collect();
    let Node::List(ids) = &keys.nodes[keys.root] else {
        return Err(Fault::damaged("its list of storages is missing"));
    };
    let cut_off = || Fault::damaged("the file is cut off");
    let mut storages = BTreeMap::new();
    for &id in ids {
        let Node::Str(key) = &keys.nodes[id] else {
            return Err(Fault::damaged("its list of storages is broken"));
        };
        let width = widths
            .get(key.as_str())
            .ok_or_else(|| Fault::damaged(format!("unknown storage {key}")))?;
        let (numel, after) = rest.split_first_chunk::<8>().ok_or_else(cut_off)?;
        let len =
            usize::try_from(u64::from_le_bytes(*numel)).ok().and_then(|n| n.checked_mul(*width));
        let (data, after) = len.and_then(|len| after.split_at_checked(len)).ok_or_else(cut_off)?;
        storages.insert(key.clone(), data);
        rest = after;
    }
    let state = tensors(&pickle, |storage| {
        let data = storages.get(&storage.key).ok_or_else(cut_off)?;
        if data.len() < storage.bytes()? {
            return Err(cut_off());
        }
        Ok(data.to_vec())
    })?;
    Ok(PtFile { state, records: BTreeMap::new() })
}

/// The state dict of `pickle`; each storage is fetched once, for all tensors that share it, and let go.
fn tensors(
    pickle: &Pickle,
    mut fetch: impl FnMut(&Storage) -> Result<Vec<u8>, Fault>,
) -> Result<StateDict, Fault> {
    let mut views = state_dict(pickle)?;
    views.sort_by_key(|(_, view)| &view.storage.key);
    let mut state = StateDict::new();
    let mut current: Option<(&Storage, Vec<u8>)> = None;
    for (name, view) in views {
        let bytes = match current.take() {
            Some((storage, bytes)) if *storage == view.storage => bytes,
            _ => fetch(&view.storage)?,
        };
        state.insert(name.to_string(), view.tensor(name, &bytes)?);
        current = Some((&view.storage, bytes));
    }
    Ok(state)
}

/// Where training scripts put the state dict inside of a dict, in the order in which it is looked for.
const USUAL_KEYS: [&str; 5] = ["state_dict", "model_state_dict", "model", "net", "module"];

/// Finds the state dict: the pickle's root, or a dict inside of it.
fn state_dict(pickle: &Pickle) -> Result<Vec<(&str, &View)>, Fault> {
    let mut id = pickle.root;
    // A checkpoint inside a checkpoint inside a checkpoint is deep enough.
    for _ in 0..3 {
        let entries = entries(pickle, id)?;
        let is_tensor = |(_, node): &&(&str, &Node)| matches!(node, Node::Tensor(_));
        let Some((name, other)) = entries.iter().find(|entry| !is_tensor(entry)) else {
            return Ok(entries.into_iter().filter_map(as_view).collect());
        };
        let dicts = dicts_with_tensors(pickle, id);
        let usual = USUAL_KEYS.iter().find_map(|key| dicts.iter().find(|(name, _)| name == key));
        id = match (usual, dicts.as_slice()) {
            (Some((_, inner)), _) | (None, [(_, inner)]) => *inner,
            (None, []) => {
                let why =
                    format!("no state dict in it: `{name}` is {}, not a tensor", other.kind());
                return Err(Fault::foreign(why));
            }
            (None, several) => {
                let names: Vec<_> = several.iter().map(|(name, _)| format!("`{name}`")).collect();
                let why = format!("several dicts of tensors in it: {}", names.join(", "));
                return Err(Fault::new(
                    why,
                    "in Python, save the one you want: torch.save(it, path)",
                ));
            }
        };
    }
    Err(Fault::foreign("its state dict lies too deep in it"))
}

fn as_view<'a>((name, node): (&'a str, &'a Node)) -> Option<(&'a str, &'a View)> {
    match node {
        Node::Tensor(view) => Some((name, view)),
        _ => None,
    }
}

/// The entries of a dict with names for keys.
fn entries(pickle: &Pickle, id: usize) -> Result<Vec<(&str, &Node)>, Fault> {
    let Node::Dict(pairs) = &pickle.nodes[id] else {
        let kind = pickle.nodes[id].kind();
        return Err(Fault::foreign(format!("expected a dict of tensors by name, got {kind}")));
    };
    let entry = |&(key, value): &(usize, usize)| match &pickle.nodes[key] {
        Node::Str(name) => Ok((name.as_str(), &pickle.nodes[value])),
        other => Err(Fault::foreign(format!(
            "expected a dict of tensors by name, got {} as a key",
            other.kind()
        ))),
    };
    pairs.iter().map(entry).collect()
}

/// The values of dict `id` which are dicts that hold tensors by name, directly or one level down.
fn dicts_with_tensors(pickle: &Pickle, id: usize) -> Vec<(&str, usize)> {
    let Node::Dict(pairs) = &pickle.nodes[id] else { return vec![] };
    let holds = |id: usize| entries(pickle, id).ok().filter(|e| !e.is_empty());
    let flat =
        |id: usize| holds(id).is_some_and(|e| e.iter().any(|(_, n)| matches!(n, Node::Tensor(_))));
    let nested = |id: usize| {
        let Node::Dict(inner) = &pickle.nodes[id] else { return false };
        inner.iter().any(|&(_, value)| flat(value))
    };
    let named = |&(key, value): &(usize, usize)| match &pickle.nodes[key] {
        Node::Str(name) if flat(value) || (holds(value).is_some() && nested(value)) => {
            Some((name.as_str(), value))
        }
        _ => None,
    };
    pairs.iter().filter_map(named).collect()
}
