//! Language models from GGUF files (llama.cpp's format: sizes, tokenizer and weights in one file), with the weights taken out
//! of their small types: a product of small integers has no gradient here, and a prefix needs one.
//!
//! GGUF keeps the queries' and keys' rows of a head in the order of the original Llama, in which the rotary positions turn
//! neighbours: `0, w/2, 1, w/2 + 1, …`. Ours is transformers' order, which turns `i` with `i + w/2`.

use std::collections::HashMap;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use candle_core::quantized::gguf_file::{Content, Value};
use candle_core::{Device, Tensor};

use super::Llama;
use crate::checkpoint::StateDict;
use crate::config::LlamaConfig;
use crate::nn::Params;
use crate::text::{BpeTokenizer, Vocabulary};
use crate::{Error, Result};

impl Llama {
    /// Reads a Llama and its tokenizer from a GGUF file.
    ///
    /// # Errors
    /// When the file is missing or damaged, or holds another kind of model or tokenizer: what it holds is named.
    pub fn from_gguf(path: &Path, device: &Device) -> Result<(Self, BpeTokenizer)> {
        Self::from_gguf_in(path, &Params::new(device, 0))
    }

    /// As [`from_gguf`](Self::from_gguf), with its parameters below `params`.
    ///
    /// # Errors
    /// As [`from_gguf`](Self::from_gguf).
    pub fn from_gguf_in(path: &Path, params: &Params) -> Result<(Self, BpeTokenizer)> {
        let mut file = BufReader::new(File::open(path).map_err(Error::io(path))?);
        let wrong = |why: String| Error::Checkpoint {
            path: path.into(),
            why,
            next: "use a whole GGUF file of a Llama with byte-level tokens, as SmolLM2's".into(),
        };
        let content = Content::read(&mut file).map_err(|e| wrong(e.to_string()))?;
        let meta = Metadata(&content.metadata);
        let config =
            meta.config(content.tensor_infos.contains_key("output.weight")).map_err(wrong)?;
        let vocabulary = meta.vocabulary().map_err(wrong)?;
        if vocabulary.tokens.len() != config.vocab_size {
            let (tokens, rows) = (vocabulary.tokens.len(), config.vocab_size);
            return Err(wrong(format!("{tokens} tokens for {rows} vectors")));
        }
        let tokenizer = BpeTokenizer::from_vocabulary(vocabulary)?;
        let mut state = StateDict::new();
        let mut names: Vec<&String> = content.tensor_infos.keys().collect();
        names.sort();
        for name in names {
            let Some(ours) = ours(name) else {
                if name == "rope_freqs.weight" {
                    return Err(wrong("scaled rotary positions are not known here".into()));
                }
                return Err(wrong(format!(
                    "the tensor `{name}` is not one of a Llama's (unexpected)"
                )));
            };
            let tensor = content.tensor(&mut file, name, &Device::Cpu);
            let tensor = tensor
                .and_then(|t| t.dequantize(&Device::Cpu))
                .map_err(|e| wrong(format!("the tensor `{name}`: {e}")))?;
            let heads = match &name {
                n if n.ends_with("attn_q.weight") => config.num_attention_heads,
                n if n.ends_with("attn_k.weight") => config.num_key_value_heads,
                _ => 0,
            };
            let tensor = if heads > 0 { halves(&tensor, heads)? } else { tensor };
            state.insert(ours, tensor);
        }
        let model = params.to_be_loaded(|| Self::new(&config, params))?;
        params.load_below(&state).map_err(|e| wrong(e.to_string()))?;
        Ok((model, tokenizer))
    }
}

/// `(heads · w, in)` with a head's rows in pairs → the first of all pairs, then the second.
fn halves(weight: &Tensor, heads: usize) -> candle_core::Result<Tensor> {
    let (rows, inner) = weight.dims2()?;
    weight
        .reshape((heads, rows / heads / 2, 2, inner))?
        .transpose(1, 2)?
        .contiguous()?
        .reshape((rows, inner))
}

/// Our name of a GGUF tensor.
fn ours(name: &str) -> Option<String> {
    let top = match name {
        "token_embd.weight" => "model.embed_tokens.weight",
        "output_norm.weight" => "model.norm.weight",
        "output.weight" => "lm_head.weight",
        _ => "",
    };
    if !top.is_empty() {
        return Some(top.into());
    }
    let (layer, part) = name.strip_prefix("blk.")?.split_once('.')?;
    let part = match part.strip_suffix(".weight")? {
        "attn_norm" => "input_layernorm",
        "attn_q" => "self_attn.q_proj",
        "attn_k" => "self_attn.k_proj",
        "attn_v" => "self_attn.v_proj",
        "attn_output" => "self_attn.o_proj",
        "ffn_norm" => "post_attention_layernorm",
        "ffn_gate" => "mlp.gate_proj",
        "ffn_up" => "mlp.up_proj",
        "ffn_down" => "mlp.down_proj",
        _ => return None,
    };
    Some(format!("model.layers.{layer}.{part}.weight"))
}

/// What a file says about itself; errors are sentences.
struct Metadata<'a>(&'a HashMap<String, Value>);

impl Metadata<'_> {
    fn get<T>(
        &self,
        key: &str,
        read: impl Fn(&Value) -> candle_core::Result<T>,
    ) -> Result<T, String> {
        let value = self.0.get(key).ok_or_else(|| format!("the entry `{key}` is missing"))?;
        read(value).map_err(|e| format!("the entry `{key}`: {e}"))
    }

    fn text(&self, key: &str) -> Result<String, String> {
        self.get(key, |v| v.to_string().cloned())
    }

    fn texts(&self, key: &str) -> Result<Vec<String>, String> {
        self.get(key, |v| v.to_vec()?.iter().map(|v| v.to_string().cloned()).collect())
    }

    fn config(&self, own_head: bool) -> Result<LlamaConfig, String> {
        let architecture = self.text("general.architecture")?;
        if architecture != "llama" {
            return Err(format!("expected the architecture `llama`, got `{architecture}`"));
        }
        let size =
            |key: &str| self.get(&format!("llama.{key}"), |v| v.to_u64()).map(|size| size as usize);
        // f32's shortest decimal: 1e-5 is meant, not its neighbour in f32.
        let decimal = |x: f32| x.to_string().parse().unwrap_or(f64::from(x));
        let number = |key: &str| self.get(&format!("llama.{key}"), |v| v.to_f32()).map(decimal);
        let heads = size("attention.head_count")?;
        let config = LlamaConfig {
            vocab_size: self.get("tokenizer.ggml.tokens", |v| Ok(v.to_vec()?.len()))?,
            max_position_embeddings: size("context_length")?,
            hidden_size: size("embedding_length")?,
            intermediate_size: size("feed_forward_length")?,
            num_hidden_layers: size("block_count")?,
            num_attention_heads: heads,
            num_key_value_heads: size("attention.head_count_kv").unwrap_or(heads),
            rms_norm_eps: number("attention.layer_norm_rms_epsilon")?,
            rope_theta: number("rope.freq_base").unwrap_or(1e4),
            tie_word_embeddings: !own_head,
        };
        match self.text("llama.rope.scaling.type") {
            Ok(scaling) if scaling != "none" => {
                Err(format!("rotary positions scaled as `{scaling}` are not known here"))
            }
            _ => Ok(config),
        }
    }

    fn vocabulary(&self) -> Result<Vocabulary, String> {
        let kind = self.text("tokenizer.ggml.model")?;
        if kind != "gpt2" {
            return Err(format!("expected a byte-level tokenizer (`gpt2`), got `{kind}`"));
        }
        // llama.cpp's names of how a text is cut into words before anything is merged.
        let pre = self.text("tokenizer.ggml.pre").unwrap_or("default".into());
        let single_digits = match pre.as_str() {
            "default" | "gpt-2" | "gpt2" => false,
            "smollm" | "starcoder" | "refact" | "command-r" => true,
            _ => return Err(format!("texts cut into words as `{pre}` are not known here")),
        };
        let tokens = self.texts("tokenizer.ggml.tokens")?;
        let pair = |merge: String| match merge.split_once(' ') {
            Some((left, right)) => Ok((left.to_string(), right.to_string())),
            None => Err(format!("the merge {merge:?} is not two tokens")),
        };
        let merges =
            self.texts("tokenizer.ggml.merges")?.into_iter().map(pair).collect::<Result<_, _>>()?;
        // 3: control, 4: defined by the user. Both stay whole in a text.
        let kinds = self.get("tokenizer.ggml.token_type", |v| {
            v.to_vec()?.iter().map(|v| v.to_i32()).collect::<candle_core::Result<Vec<_>>>()
        })?;
        let special = tokens.iter().zip(kinds).filter(|(_, kind)| [3, 4].contains(kind));
        let special = special.map(|(token, _)| token.clone()).collect();
        Ok(Vocabulary { tokens, merges, special, single_digits })
    }
}
