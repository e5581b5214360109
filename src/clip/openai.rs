//! CLIP under OpenAI's own names: `visual.…`, `transformer.resblocks.…`, `text_projection`. The sizes follow from the weights'
//! shapes, as in OpenAI's `build_model`; what shapes do not say comes from open_clip's `open_clip_config.json`, or is as OpenAI
//! had it.

use candle_core::Tensor;
use serde_json::Value;

use super::published::{check_pictures, clip_config};
use crate::checkpoint::StateDict;
use crate::config::{
    Activation, ClipResNetConfig, ClipTextConfig, Config, ImageEncoderConfig, VitConfig,
};

/// The width of an attention head, where no file says another.
const HEAD: usize = 64;

/// What OpenAI's archives and older programs keep beside the weights: sizes, and what a text's places may not look at.
const NO_WEIGHTS: [&str; 4] = ["input_resolution", "context_length", "vocab_size", "attn_mask"];

type Said<T> = std::result::Result<T, String>;

/// Whether a state dict has OpenAI's names.
pub(super) fn knows(state: &StateDict) -> bool {
    state.keys().any(|key| key.starts_with("visual."))
}

/// A weight's shape.
fn shape<'a>(state: &'a StateDict, key: &str) -> Said<&'a [usize]> {
    state
        .get(key)
        .map(Tensor::dims)
        .ok_or_else(|| format!("expected the key `{key}`, it is missing"))
}

/// The size of a weight along a dimension.
fn size(state: &StateDict, key: &str, dim: usize) -> Said<usize> {
    let dims = shape(state, key)?;
    let wrong = || format!("the key `{key}`: expected more than {dim} dimensions, got {dims:?}");
    dims.get(dim).copied().ok_or_else(wrong)
}

/// How many blocks there are: `{before}0{after}`, `{before}1{after}`, ….
fn count(state: &StateDict, before: &str, after: &str) -> usize {
    (0..).take_while(|i| state.contains_key(&format!("{before}{i}{after}"))).count()
}

/// The side of a square of so many places, one more for the class or the mean.
fn side(places: usize) -> usize {
    (places.saturating_sub(1) as f64).sqrt().round() as usize
}

/// The configuration of a CLIP by its weights; `about` is `open_clip_config.json`, or null.
pub(super) fn read_config(state: &StateDict, about: &Value, base: &Config) -> Said<Config> {
    let (model, pictures) = (&about["model_cfg"], &about["preprocess_cfg"]);
    check_pictures(&pictures["mean"], &pictures["std"])?;
    let given = |json: &Value| json.as_u64().map(|n| n as usize).filter(|n| *n > 0);
    let heads =
        |width: usize| (width / given(&model["vision_cfg"]["head_width"]).unwrap_or(HEAD)).max(1);
    // OpenAI's own weights want `x σ(1.702 x)`; open_clip's say when they do.
    let quick = about.is_null() || model["quick_gelu"] == true;
    let act = if quick { Activation::QuickGelu } else { Activation::Gelu };
    let image: ImageEncoderConfig = if state.contains_key("visual.proj") {
        let (d, patch) =
            (size(state, "visual.conv1.weight", 0)?, size(state, "visual.conv1.weight", 3)?);
        VitConfig {
            image_size: patch * side(size(state, "visual.positional_embedding", 0)?),
            patch_size: patch,
            hidden_size: d,
            num_hidden_layers: count(state, "visual.transformer.resblocks.", ".ln_1.weight"),
            num_attention_heads: heads(d),
            intermediate_size: size(state, "visual.transformer.resblocks.0.mlp.c_fc.weight", 0)?,
            hidden_act: act,
            dropout: 0.,
        }
        .into()
    } else if state.contains_key("visual.layer1.0.conv1.weight") {
        let width = size(state, "visual.layer1.0.conv1.weight", 0)?;
        let blocks = |i: usize| count(state, &format!("visual.layer{i}."), ".conv1.weight");
        ClipResNetConfig {
            image_size: 32 * side(size(state, "visual.attnpool.positional_embedding", 0)?),
            layers: (1..=4).map(blocks).collect(),
            width,
            heads: heads(32 * width),
            output_dim: size(state, "visual.attnpool.c_proj.weight", 0)?,
        }
        .into()
    } else {
        return Err(
            "its image encoder is neither a vision transformer (`visual.proj`) nor CLIP's ResNet \
                    (`visual.layer1.0.conv1.weight`)"
                .into(),
        );
    };
    let d = size(state, "token_embedding.weight", 1)?;
    let text = ClipTextConfig {
        vocab_size: size(state, "token_embedding.weight", 0)?,
        max_position_embeddings: size(state, "positional_embedding", 0)?,
        hidden_size: d,
        num_hidden_layers: count(state, "transformer.resblocks.", ".ln_1.weight"),
        num_attention_heads: given(&model["text_cfg"]["heads"]).unwrap_or((d / HEAD).max(1)),
        intermediate_size: size(state, "transformer.resblocks.0.mlp.c_fc.weight", 0)?,
        hidden_act: act,
        dropout: 0.,
    };
    let picture = match &image {
        ImageEncoderConfig::Vit(vit) => vit.image_size,
        ImageEncoderConfig::ClipResNet(resnet) => resnet.image_size,
        _ => base.size,
    };
    Ok(clip_config(picture, image, text, size(state, "text_projection", 1)?, base))
}

/// A state dict under our names. What has no name here keeps its own, so that it is named as the one too many.
pub(super) fn renamed(state: StateDict) -> Said<StateDict> {
    let vit = state.contains_key("visual.proj");
    let mut ours = StateDict::new();
    for (key, value) in state {
        if NO_WEIGHTS.contains(&key.as_str()) {
            continue;
        }
        let (place, rest) = match key.strip_prefix("visual.") {
            Some(rest) => ("image_encoder.model", rest),
            None => ("text_encoder.model", key.as_str()),
        };
        if place == "image_encoder.model" && !vit {
            // CLIP's ResNet has no other names than OpenAI's.
            if rest == "attnpool.c_proj.bias" {
                let p = value.elem_count();
                let one =
                    Tensor::eye(p, value.dtype(), value.device()).map_err(|e| e.to_string())?;
                ours.insert("image_projection.projection.weight".into(), one);
            }
            ours.insert(format!("{place}.{rest}"), value);
            continue;
        }
        let turned = |value: &Tensor| value.t().and_then(|t| t.contiguous());
        let put = match rest {
            "proj" => ("image_projection.projection.weight".into(), turned(&value)),
            "text_projection" => ("text_projection.projection.weight".into(), turned(&value)),
            "logit_scale" => ("logit_scale".into(), Ok(value)),
            _ => match layer(rest) {
                Some((layer, what)) if what.starts_with("attn.in_proj_") => {
                    for (name, part) in
                        thirds(&value).map_err(|e| format!("the key `{key}`: {e}"))?
                    {
                        let kind = what.trim_start_matches("attn.in_proj_");
                        let name =
                            format!("{place}.encoder.layers.{layer}.self_attn.{name}_proj.{kind}");
                        ours.insert(name, part);
                    }
                    continue;
                }
                Some((layer, what)) => {
                    (format!("{place}.encoder.layers.{layer}.{}", in_layer(what)), Ok(value))
                }
                None => match outside(rest) {
                    Some(name) => (format!("{place}.{name}"), Ok(value)),
                    None => (key.clone(), Ok(value)),
                },
            },
        };
        ours.insert(put.0, put.1.map_err(|e| format!("the key `{key}`: {e}"))?);
    }
    Ok(ours)
}

/// `transformer.resblocks.3.ln_1.weight` → `3`, `ln_1.weight`.
fn layer(name: &str) -> Option<(&str, &str)> {
    name.strip_prefix("transformer.resblocks.")?.split_once('.')
}

/// The rows for queries, keys and values, which OpenAI has in one weight.
fn thirds(value: &Tensor) -> candle_core::Result<Vec<(&'static str, Tensor)>> {
    let d = value.dim(0)? / 3;
    let part = |(i, name)| Ok((name, value.narrow(0, i * d, d)?.contiguous()?));
    ["q", "k", "v"].into_iter().enumerate().map(part).collect()
}

/// Inside a transformer's layer.
fn in_layer(name: &str) -> String {
    let names = [
        ("ln_1", "layer_norm1"),
        ("ln_2", "layer_norm2"),
        ("attn.out_proj", "self_attn.out_proj"),
        ("mlp.c_fc", "mlp.fc1"),
        ("mlp.c_proj", "mlp.fc2"),
    ];
    let ours = names.iter().find_map(|(theirs, ours)| {
        name.strip_prefix(theirs)
            .filter(|rest| rest.starts_with('.'))
            .map(|rest| format!("{ours}{rest}"))
    });
    ours.unwrap_or_else(|| name.to_string())
}

/// Around the layers, of the vision transformer and of the text's.
fn outside(name: &str) -> Option<&'static str> {
    Some(match name {
        "class_embedding" => "embeddings.class_embedding",
        "conv1.weight" => "embeddings.patch_embedding.weight",
        "positional_embedding" => "embeddings.position_embedding.weight",
        "token_embedding.weight" => "embeddings.token_embedding.weight",
        "ln_pre.weight" => "pre_layrnorm.weight",
        "ln_pre.bias" => "pre_layrnorm.bias",
        "ln_post.weight" => "post_layernorm.weight",
        "ln_post.bias" => "post_layernorm.bias",
        "ln_final.weight" => "final_layer_norm.weight",
        "ln_final.bias" => "final_layer_norm.bias",
        _ => return None,
    })
}
