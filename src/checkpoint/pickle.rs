//! Just enough of Python's pickle, protocol 2, to describe tensors in plain containers.
//!
//! A pickle is a program for a stack machine whose instruction `GLOBAL` imports any Python object and whose `REDUCE`
//! calls it: loading a pickle from a stranger runs the stranger's code. This machine has a fixed list of globals and
//! builds plain data for each of them; any other global is refused by its name, at the instruction that asks for it.
//!
//! Values live in one array and refer to each other by index, so that shared and nested ones need no recursion.

use std::collections::HashMap;

use super::Fault;
use super::storage::{Storage, View, dtype_of};

/// The index of a value.
pub(super) type Id = usize;

/// A value of a pickle.
#[derive(Debug)]
pub(super) enum Node {
    /// Something that is allowed and of no further use here, in words: "None", "a float".
    Other(&'static str),
    Int(i64),
    Str(String),
    Tuple(Vec<Id>),
    List(Vec<Id>),
    Dict(Vec<(Id, Id)>),
    /// `module.name`, on the list of those that are known.
    Global(String),
    Storage(Storage),
    Tensor(View),
}

impl Node {
    /// What it is, for a message.
    pub fn kind(&self) -> &'static str {
        match self {
            Node::Other(kind) => kind,
            Node::Int(_) => "an integer",
            Node::Str(_) => "a string",
            Node::Tuple(_) => "a tuple",
            Node::List(_) => "a list",
            Node::Dict(_) => "a dict",
            Node::Global(_) => "a name",
            Node::Storage(_) => "a storage",
            Node::Tensor(_) => "a tensor",
        }
    }
}

/// All values of a pickle, and which one it is about.
#[derive(Debug)]
pub(super) struct Pickle {
    pub nodes: Vec<Node>,
    pub root: Id,
}

/// Reads the pickle at the start of `bytes`; gives the rest, too.
pub(super) fn unpickle(bytes: &[u8]) -> Result<(Pickle, &[u8]), Fault> {
    let mut machine = Machine { rest: bytes, ..Machine::default() };
    while machine.step()? {}
    let root = machine.pop()?;
    Ok((Pickle { nodes: machine.nodes, root }, machine.rest))
}

#[derive(Default)]
struct Machine<'a> {
    rest: &'a [u8],
    nodes: Vec<Node>,
    stack: Vec<Id>,
    marks: Vec<usize>,
    memo: HashMap<u32, Id>,
}

fn broken(what: &str) -> Fault {
    Fault::damaged(format!("its pickle is broken: {what}"))
}

impl<'a> Machine<'a> {
    /// One instruction; false after `STOP`.
    fn step(&mut self) -> Result<bool, Fault> {
        let op = self.take(1)?[0];
        match op {
            b'.' => return Ok(false),
            0x80 => {
                let version = self.take(1)?[0];
                if version > 2 {
                    return Err(Fault::foreign(format!(
                        "its pickle has protocol {version}, expected 2"
                    )));
                }
            }
            b'N' => self.push(Node::Other("None")),
            0x88 | 0x89 => self.push(Node::Other("a bool")),
            b'G' => {
                self.take(8)?;
                self.push(Node::Other("a float"));
            }
            b'K' => self.int(1)?,
            b'M' => self.int(2)?,
            b'J' => self.int(4)?,
            0x8a => {
                let len = self.take(1)?[0];
                self.int(len.into())?;
            }
            b'X' => self.string(4)?,
            b'T' => self.string(4)?,
            b'U' => self.string(1)?,
            b'(' => self.marks.push(self.stack.len()),
            b')' => self.push(Node::Tuple(vec![])),
            b't' => {
                let items = self.pop_to_mark()?;
                self.push(Node::Tuple(items));
            }
            0x85..=0x87 => {
                let at = self.stack.len().checked_sub((op - 0x84).into());
                let items = self.stack.split_off(at.ok_or_else(|| broken("too few values"))?);
                self.push(Node::Tuple(items));
            }
            b']' => self.push(Node::List(vec![])),
            b'a' => {
                let item = self.pop()?;
                self.extend_list(&[item])?;
            }
            b'e' => {
                let items = self.pop_to_mark()?;
                self.extend_list(&items)?;
            }
            b'}' => self.push(Node::Dict(vec![])),
            b's' => {
                let (value, key) = (self.pop()?, self.pop()?);
                self.extend_dict(&[key, value])?;
            }
            b'u' => {
                let items = self.pop_to_mark()?;
                self.extend_dict(&items)?;
            }
            b'q' => self.memoize(1)?,
            b'r' => self.memoize(4)?,
            b'h' => self.recall(1)?,
            b'j' => self.recall(4)?,
            b'c' => {
                let name = format!("{}.{}", self.line()?, self.line()?);
                if !is_known(&name) {
                    let why = format!(
                        "its pickle asks for `{name}`; only tensors in plain dicts, lists and tuples are read \
                         (nothing was run)"
                    );
                    return Err(Fault::foreign(why));
                }
                self.push(Node::Global(name));
            }
            b'Q' => {
                let id = self.pop()?;
                let storage = self.storage(id)?;
                self.push(Node::Storage(storage));
            }
            b'R' | 0x81 => {
                let (args, callee) = (self.pop()?, self.pop()?);
                let made = self.call(callee, args)?;
                self.push(made);
            }
            // The attributes of an OrderedDict (PyTorch's `_metadata`): not needed.
            b'b' => {
                self.pop()?;
                let target = *self.stack.last().ok_or_else(|| broken("too few values"))?;
                if !matches!(self.nodes[target], Node::Dict(_)) {
                    return Err(broken("attributes of something that is no dict"));
                }
            }
            other => return Err(broken(&format!("unknown instruction {other:#04x}"))),
        }
        Ok(true)
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], Fault> {
        let (taken, rest) =
            self.rest.split_at_checked(len).ok_or_else(|| broken("it ends too early"))?;
        self.rest = rest;
        Ok(taken)
    }

    /// An unsigned little-endian number of at most 8 bytes.
    fn number(&mut self, len: usize) -> Result<u64, Fault> {
        let bytes = self.take(len)?;
        Ok(bytes.iter().rev().fold(0, |n, &b| n << 8 | u64::from(b)))
    }

    fn int(&mut self, len: usize) -> Result<(), Fault> {
        if len > 8 {
            return Err(broken("an integer of more than 64 bits"));
        }
        let number = self.number(len)?;
        // One and two bytes are unsigned, the longer forms two's complement.
        let value = match len {
            0..=2 => number as i64,
            _ => (number << (64 - 8 * len)) as i64 >> (64 - 8 * len),
        };
        self.push(Node::Int(value));
        Ok(())
    }

    fn string(&mut self, len_bytes: usize) -> Result<(), Fault> {
        let len = self.number(len_bytes)? as usize;
        let text =
            std::str::from_utf8(self.take(len)?).map_err(|_| broken("a string is not UTF-8"))?;
        self.push(Node::Str(text.to_string()));
        Ok(())
    }

    fn line(&mut self) -> Result<&'a str, Fault> {
        let len = self
            .rest
            .iter()
            .position(|&b| b == b'\n')
            .ok_or_else(|| broken("it ends too early"))?;
        let text = self.take(len)?;
        self.take(1)?;
        std::str::from_utf8(text).map_err(|_| broken("a name is not UTF-8"))
    }

    fn push(&mut self, node: Node) {
        self.stack.push(self.nodes.len());
        self.nodes.push(node);
    }

    fn pop(&mut self) -> Result<Id, Fault> {
        self.stack.pop().ok_or_else(|| broken("too few values"))
    }

    fn pop_to_mark(&mut self) -> Result<Vec<Id>, Fault> {
        let mark = self.marks.pop().filter(|&mark| mark <= self.stack.len());
        Ok(self.stack.split_off(mark.ok_or_else(|| broken("no mark"))?))
    }

    fn extend_list(&mut self, items: &[Id]) -> Result<(), Fault> {
        match self.stack.last().map(|&id| &mut self.nodes[id]) {
            Some(Node::List(list)) => list.extend_from_slice(items),
            _ => return Err(broken("an item for something that is no list")),
        }
        Ok(())
    }

    fn extend_dict(&mut self, items: &[Id]) -> Result<(), Fault> {
        match self.stack.last().map(|&id| &mut self.nodes[id]) {
            Some(Node::Dict(dict)) if items.len().is_multiple_of(2) => {
                dict.extend(items.chunks_exact(2).map(|kv| (kv[0], kv[1])));
            }
            _ => return Err(broken("an entry for something that is no dict")),
        }
        Ok(())
    }

    fn memoize(&mut self, len: usize) -> Result<(), Fault> {
        let slot = self.number(len)? as u32;
        let id = *self.stack.last().ok_or_else(|| broken("too few values"))?;
        self.memo.insert(slot, id);
        Ok(())
    }

    fn recall(&mut self, len: usize) -> Result<(), Fault> {
        let slot = self.number(len)? as u32;
        self.stack.push(*self.memo.get(&slot).ok_or_else(|| broken("a reference to nothing"))?);
        Ok(())
    }

    fn tuple(&self, id: Id) -> Result<&[Id], Fault> {
        match &self.nodes[id] {
            Node::Tuple(items) => Ok(items),
            other => Err(broken(&format!("expected a tuple, got {}", other.kind()))),
        }
    }

    fn size(&self, id: Id) -> Result<usize, Fault> {
        match &self.nodes[id] {
            Node::Int(value) if *value >= 0 => Ok(*value as usize),
            other => Err(broken(&format!("expected a size, got {}", other.kind()))),
        }
    }

    fn sizes(&self, id: Id) -> Result<Vec<usize>, Fault> {
        let items = self.tuple(id)?;
        if items.len() > 32 {
            return Err(broken(&format!("a tensor of {} dimensions", items.len())));
        }
        items.iter().map(|&id| self.size(id)).collect()
    }

    /// `("storage", torch.FloatStorage, key, location, numel)`, and one more in the old form, which must be None.
    fn storage(&self, id: Id) -> Result<Storage, Fault> {
        let items = self.tuple(id)?;
        let [kind, class, key, _, numel, view @ ..] = items else {
            return Err(broken("a storage of too few parts"));
        };
        match (&self.nodes[*kind], &self.nodes[*class], &self.nodes[*key], view) {
            (Node::Str(kind), Node::Global(class), Node::Str(key), view) if kind == "storage" => {
                if view.iter().any(|&v| !matches!(self.nodes[v], Node::Other("None"))) {
                    return Err(Fault::foreign("a storage is a view of another one"));
                }
                let class = class.strip_prefix("torch.").unwrap_or(class);
                let dtype = dtype_of(class).ok_or_else(|| {
                    Fault::foreign(format!(
                        "it holds a `torch.{class}`, which has no counterpart here"
                    ))
                })?;
                Ok(Storage { key: key.clone(), dtype, numel: self.size(*numel)? })
            }
            _ => Err(broken("expected a storage")),
        }
    }

    /// What a known global makes of its arguments.
    fn call(&self, callee: Id, args: Id) -> Result<Node, Fault> {
        let Node::Global(name) = &self.nodes[callee] else {
            return Err(broken("a call of something that is no function"));
        };
        let args = self.tuple(args)?;
        Ok(match (name.as_str(), args) {
            ("collections.OrderedDict", []) | ("collections.defaultdict", [..]) => {
                Node::Dict(vec![])
            }
            ("collections.OrderedDict", [pairs]) => {
                let Node::List(pairs) = &self.nodes[*pairs] else {
                    return Err(broken("an OrderedDict of no list"));
                };
                let pair = |&id: &Id| match &self.nodes[id] {
                    Node::List(kv) | Node::Tuple(kv) if kv.len() == 2 => Ok((kv[0], kv[1])),
                    _ => Err(broken("an OrderedDict of no pairs")),
                };
                Node::Dict(pairs.iter().map(pair).collect::<Result<_, _>>()?)
            }
            (
                "torch._utils._rebuild_tensor_v2" | "torch._utils._rebuild_tensor",
                [storage, offset, size, stride, ..],
            ) => {
                let Node::Storage(storage) = &self.nodes[*storage] else {
                    return Err(broken("a tensor without a storage"));
                };
                let view = View {
                    storage: storage.clone(),
                    offset: self.size(*offset)?,
                    size: self.sizes(*size)?,
                    stride: self.sizes(*stride)?,
                };
                if view.size.len() != view.stride.len() {
                    return Err(broken("a tensor with more sizes than strides"));
                }
                Node::Tensor(view)
            }
            ("torch._utils._rebuild_parameter", [data, ..]) => match &self.nodes[*data] {
                Node::Tensor(view) => Node::Tensor(view.clone()),
                _ => return Err(broken("a parameter that is no tensor")),
            },
            ("torch.Size", [sizes]) => Node::Tuple(self.tuple(*sizes)?.to_vec()),
            ("torch.device", _) => Node::Other("a device"),
            ("_codecs.encode", _) => Node::Other("bytes"),
            ("__builtin__.set" | "builtins.set", _) => Node::Other("a set"),
            _ => return Err(broken(&format!("`{name}` with {} arguments", args.len()))),
        })
    }
}

/// The globals that a pickle of tensors and plain containers needs: all of them stand for data.
fn is_known(name: &str) -> bool {
    const KNOWN: [&str; 10] = [
        "collections.OrderedDict",
        "collections.defaultdict",
        "torch._utils._rebuild_tensor",
        "torch._utils._rebuild_tensor_v2",
        "torch._utils._rebuild_parameter",
        "torch.Size",
        "torch.device",
        "_codecs.encode",
        "__builtin__.set",
        "builtins.set",
    ];
    // Types that appear as values: a dict of settings may hold `dtype=torch.float32`, a defaultdict its default.
    const TYPES: [&str; 15] = [
        "torch.float32",
        "torch.float64",
        "torch.float16",
        "torch.bfloat16",
        "torch.int64",
        "torch.int32",
        "torch.int16",
        "torch.int8",
        "torch.uint8",
        "torch.bool",
        "__builtin__.dict",
        "__builtin__.list",
        "builtins.dict",
        "builtins.list",
        "builtins.int",
    ];
    KNOWN.contains(&name)
        || TYPES.contains(&name)
        || (name.starts_with("torch.")
            && name.ends_with("Storage")
            && name.matches('.').count() == 1)
}
