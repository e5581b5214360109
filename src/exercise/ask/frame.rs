//! A frame of the pipe: a length, and that many bytes of safetensors with the texts in `__metadata__`.
//!
//! What comes over a pipe comes from a student's process: nothing in it is believed before it was measured.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read, Write};

use candle_core::{DType, Device, Tensor};
use serde_json::{Map, Value, json};

use super::worker::NONCE;
use super::{Answer, Failure, Question};
use crate::{Error, Result};

/// The largest frame that is read: 64 MiB.
pub const LARGEST: usize = 64 << 20;

/// The largest header: what its JSON becomes in memory is many times as large.
const LARGEST_HEADER: usize = 4 << 20;

type Tensors = BTreeMap<String, Tensor>;
type Words = BTreeMap<String, String>;

/// Writes one frame.
///
/// # Errors
/// When the other end is gone.
pub fn write(pipe: &mut dyn Write, body: &[u8]) -> std::io::Result<()> {
    let length = u32::try_from(body.len()).map_err(|_| ErrorKind::InvalidInput)?;
    pipe.write_all(&length.to_le_bytes())?;
    pipe.write_all(body)?;
    pipe.flush()
}

/// Reads one frame; `None` where the other end has closed the pipe between two.
///
/// # Errors
/// A pipe that ends within a frame, or a frame larger than [`LARGEST`].
pub fn read(pipe: &mut dyn Read) -> std::io::Result<Option<Vec<u8>>> {
    let mut length = [0; 4];
    let mut had = 0;
    while had < length.len() {
        match pipe.read(&mut length[had..]) {
            Ok(0) if had == 0 => return Ok(None),
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(n) => had += n,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let length = u32::from_le_bytes(length) as usize;
    if length > LARGEST {
        return Err(std::io::Error::other(format!("a frame of {length} bytes")));
    }
    let mut body = vec![0; length];
    pipe.read_exact(&mut body)?;
    Ok(Some(body))
}

/// A question's bytes.
///
/// # Errors
/// A tensor of a type other than f32, f64, u32.
pub fn question(question: &Question) -> Result<Vec<u8>> {
    let mut words = question.words.clone();
    words.insert("exercise".into(), question.exercise.clone());
    words.insert("question".into(), question.name.clone());
    words.insert("seed".into(), question.seed.to_string());
    encode(&question.tensors, &words)
}

/// Reads a question.
///
/// # Errors
/// Bytes that are none.
pub fn read_question(body: &[u8]) -> Result<Question> {
    let (tensors, mut words) = decode(body)?;
    let mut take = |name: &str| {
        words.remove(name).ok_or_else(|| Error::value("question", format!("`{name}`"), "nothing"))
    };
    let (exercise, name, seed) = (take("exercise")?, take("question")?, take("seed")?);
    let seed = seed.parse().map_err(|_| Error::value("question, seed", "a number", seed))?;
    Ok(Question { exercise, name, seed, tensors, words })
}

/// The bytes of an answer, or of why there is none; with the question's nonce, if it had one.
///
/// # Errors
/// A tensor of a type other than f32, f64, u32.
pub fn answer(
    outcome: &std::result::Result<Answer, Failure>,
    nonce: Option<&str>,
) -> Result<Vec<u8>> {
    let (none, mut words) = (Tensors::new(), Words::new());
    let (status, message) = match outcome {
        Ok(answer) => {
            words = answer.words.clone();
            ("ok", "")
        }
        Err(Failure::NotYet) => ("not_yet", ""),
        Err(Failure::Panic(message)) => ("panic", message.as_str()),
        Err(Failure::Error(message) | Failure::Died(message)) => ("error", message.as_str()),
        Err(Failure::TimedOut(_)) => ("error", "no end"),
    };
    words.insert("status".into(), status.into());
    if let Some(nonce) = nonce {
        words.insert(NONCE.into(), nonce.into());
    }
    if !message.is_empty() {
        words.insert("message".into(), message.into());
    }
    encode(outcome.as_ref().map_or(&none, |answer| &answer.tensors), &words)
}

/// Reads the answer to the question with this nonce.
///
/// # Errors
/// Bytes that are no answer, or one to another question.
pub fn read_answer(
    body: &[u8],
    nonce: Option<&str>,
) -> Result<std::result::Result<Answer, Failure>> {
    let (tensors, mut words) = decode(body)?;
    if words.remove(NONCE).as_deref() != nonce {
        return Err(Error::value("answer", "one to this question", "one to another"));
    }
    let message = words.remove("message").unwrap_or_default();
    let status = words.remove("status").unwrap_or_default();
    Ok(match status.as_str() {
        "ok" => Ok(Answer { tensors, words }),
        "not_yet" => Err(Failure::NotYet),
        "error" => Err(Failure::Error(message)),
        "panic" => Err(Failure::Panic(message)),
        _ => return Err(Error::value("answer, status", "ok, not_yet, error or panic", status)),
    })
}

fn encode(tensors: &Tensors, words: &Words) -> Result<Vec<u8>> {
    let mut header = Map::new();
    header.insert("__metadata__".into(), json!(words));
    let mut data = Vec::new();
    for (name, tensor) in tensors {
        let start = data.len();
        let flat = tensor.flatten_all()?;
        let dtype = match tensor.dtype() {
            DType::F32 => {
                flat.to_vec1::<f32>()?.iter().for_each(|v| data.extend(v.to_le_bytes()));
                "F32"
            }
            DType::F64 => {
                flat.to_vec1::<f64>()?.iter().for_each(|v| data.extend(v.to_le_bytes()));
                "F64"
            }
            DType::U32 => {
                flat.to_vec1::<u32>()?.iter().for_each(|v| data.extend(v.to_le_bytes()));
                "U32"
            }
            other => {
                let what = format!("the tensor `{name}`");
                return Err(Error::value(what, "numbers of type f32, f64 or u32", other.as_str()));
            }
        };
        let offsets = [start, data.len()];
        let entry = json!({"dtype": dtype, "shape": tensor.dims(), "data_offsets": offsets});
        header.insert(name.clone(), entry);
    }
    let header = Value::Object(header).to_string();
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    bytes.extend(data);
    Ok(bytes)
}

fn decode(bytes: &[u8]) -> Result<(Tensors, Words)> {
    let broken = || Error::value("frame", "whole safetensors", "other bytes");
    let (length, rest) = bytes.split_first_chunk::<8>().ok_or_else(broken)?;
    let length = usize::try_from(u64::from_le_bytes(*length)).map_err(|_| broken())?;
    let (header, data) = rest.split_at_checked(length).ok_or_else(broken)?;
    if length > LARGEST_HEADER {
        return Err(Error::value("frame", "a header of 4 MiB at most", length));
    }
    let header: Map<String, Value> = serde_json::from_slice(header)?;
    let (mut tensors, mut words) = (Tensors::new(), Words::new());
    for (name, entry) in header {
        if name == "__metadata__" {
            words = serde_json::from_value(entry)?;
            continue;
        }
        let number = |v: &Value| v.as_u64().and_then(|n| usize::try_from(n).ok());
        let list = |key: &str| entry[key].as_array().map(|l| l.iter().map(number).collect());
        let dims: Option<Vec<usize>> = list("shape").flatten();
        let ends: Option<Vec<usize>> = list("data_offsets").flatten();
        let (Some(dims), Some([start, end])) = (dims, ends.as_deref()) else {
            return Err(broken());
        };
        let values = data.get(*start..*end).ok_or_else(broken)?;
        let count = dims.iter().try_fold(1usize, |n, d| n.checked_mul(*d)).ok_or_else(broken)?;
        let size = if entry["dtype"] == "F64" { 8 } else { 4 };
        if count.checked_mul(size) != Some(values.len()) {
            return Err(broken());
        }
        let tensor = match entry["dtype"].as_str() {
            Some("F32") => Tensor::from_vec(of(values, f32::from_le_bytes), dims, &Device::Cpu),
            Some("F64") => Tensor::from_vec(of(values, f64::from_le_bytes), dims, &Device::Cpu),
            Some("U32") => Tensor::from_vec(of(values, u32::from_le_bytes), dims, &Device::Cpu),
            _ => return Err(broken()),
        };
        tensors.insert(name, tensor?);
    }
    Ok((tensors, words))
}

fn of<const N: usize, T>(bytes: &[u8], from: fn([u8; N]) -> T) -> Vec<T> {
    bytes.as_chunks::<N>().0.iter().map(|chunk| from(*chunk)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_and_answers_survive_the_pipe() {
        let x = Tensor::new(&[[1f32, f32::NAN], [3., 4.]], &Device::Cpu).unwrap();
        let ids = Tensor::new(&[1u32, 2], &Device::Cpu).unwrap();
        let asked = Question::new("clip_dataset", "get").seed(7).tensor("x", &x.t().unwrap());
        let asked = asked.tensor("ids", &ids).word("index", 3);
        let mut pipe = Vec::new();
        write(&mut pipe, &question(&asked).unwrap()).unwrap();
        let body = read(&mut pipe.as_slice()).unwrap().unwrap();
        let came = read_question(&body).unwrap();
        assert_eq!((came.name.as_str(), came.seed), ("get", 7));
        assert_eq!(came.parse::<usize>("index").unwrap(), 3);
        let values = came.get("x").unwrap().to_vec2::<f32>().unwrap();
        assert_eq!((values[0][1], values[1][1]), (3., 4.));
        assert!(values[1][0].is_nan());
        assert_eq!(came.get("ids").unwrap().to_vec1::<u32>().unwrap(), [1, 2]);
        for outcome in [Err(Failure::NotYet), Err(Failure::Panic("no".into()))] {
            let body = answer(&outcome, None).unwrap();
            assert_eq!(read_answer(&body, None).unwrap().unwrap_err(), outcome.unwrap_err());
        }
    }

    #[test]
    fn broken_bytes_are_an_error() {
        let x = Tensor::zeros((2, 2), DType::F32, &Device::Cpu).unwrap();
        let good = answer(&Ok(Answer::default().tensor("x", x)), Some("one")).unwrap();
        assert!(read_answer(&good, Some("one")).is_ok());
        for other in [None, Some("two")] {
            assert!(read_answer(&good, other).is_err(), "an answer to another question");
        }
        for end in 0..good.len() {
            assert!(decode(&good[..end]).is_err(), "cut off at {end}");
        }
        let text = String::from_utf8_lossy(&good[8..good.len() - 16]).replace("[0,16]", "[0,99]");
        let mut longer = (text.len() as u64).to_le_bytes().to_vec();
        longer.extend(text.as_bytes());
        assert!(decode(&longer).is_err());
        assert!(read(&mut [255u8, 255, 255, 255].as_slice()).is_err());
        assert!(read(&mut [].as_slice()).unwrap().is_none());
    }
}
