//! What our parameters are called in other people's files. Ours are transformers' names, for EfficientNet-Lite timm's.

use crate::config::InvertedStage;

/// The name itself.
pub(super) fn same(name: &str) -> String {
    name.to_string()
}

/// transformers' names of a ResNet → torchvision's, which timm shares: `encoder.stages.0.layers.1.layer.2.convolution` →
/// `layer1.1.conv3`.
pub(super) fn torchvision_resnet(name: &str) -> String {
    let next = |number: &str| number.parse::<usize>().map_or(0, |n| n + 1);
    match name.split('.').collect::<Vec<_>>().as_slice() {
        ["embedder", "embedder", "convolution", what] => format!("conv1.{what}"),
        ["embedder", "embedder", "normalization", what] => format!("bn1.{what}"),
        ["encoder", "stages", stage, "layers", layer, "shortcut", kind, what] => {
            let at = usize::from(*kind == "normalization");
            format!("layer{}.{layer}.downsample.{at}.{what}", next(stage))
        }
        ["encoder", "stages", stage, "layers", layer, "layer", at, kind, what] => {
            let kind = if *kind == "normalization" { "bn" } else { "conv" };
            format!("layer{}.{layer}.{kind}{}.{what}", next(stage), next(at))
        }
        _ => name.to_string(),
    }
}

/// timm's names of an EfficientNet-Lite → those of the package `efficientnet_lite_pytorch`, which counts blocks through
/// and names a block's parts by what they do: `blocks.1.0.conv_pw` → `_blocks.1._expand_conv`.
pub(super) fn efficientnet_lite_pytorch(stages: &[InvertedStage], name: &str) -> String {
    let parts: Vec<&str> = name.split('.').collect();
    let part = |module: &str, expands: bool| match (module, expands) {
        ("conv_pw", true) => "_expand_conv",
        ("bn1", true) => "_bn0",
        ("conv_dw", _) => "_depthwise_conv",
        ("bn2", true) | ("bn1", false) => "_bn1",
        ("conv_pwl", true) | ("conv_pw", false) => "_project_conv",
        _ => "_bn2",
    };
    match parts.as_slice() {
        ["blocks", stage, block, module, what] => {
            let (stage, block) = (stage.parse().unwrap_or(0), block.parse().unwrap_or(0));
            let before: usize = stages.iter().take(stage).map(|s| s.depth).sum();
            let expands = stages.get(stage).is_some_and(|s| s.expand != 1);
            format!("_blocks.{}.{}.{what}", before + block, part(module, expands))
        }
        ["bn1", what] => format!("_bn0.{what}"),
        ["bn2", what] => format!("_bn1.{what}"),
        _ => format!("_{name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::EfficientNetLiteConfig;

    #[test]
    fn names_of_published_forms() {
        for (ours, theirs) in [
            ("embedder.embedder.normalization.running_var", "bn1.running_var"),
            (
                "encoder.stages.3.layers.0.shortcut.convolution.weight",
                "layer4.0.downsample.0.weight",
            ),
            ("encoder.stages.0.layers.2.layer.1.normalization.bias", "layer1.2.bn2.bias"),
        ] {
            assert_eq!(torchvision_resnet(ours), theirs);
        }
        let stages = EfficientNetLiteConfig::lite0().stages;
        for (ours, theirs) in [
            ("conv_stem.weight", "_conv_stem.weight"),
            ("bn1.bias", "_bn0.bias"),
            ("blocks.0.0.bn1.weight", "_blocks.0._bn1.weight"),
            ("blocks.0.0.conv_pw.weight", "_blocks.0._project_conv.weight"),
            ("blocks.3.1.conv_pw.weight", "_blocks.6._expand_conv.weight"),
            ("blocks.6.0.bn3.running_mean", "_blocks.15._bn2.running_mean"),
        ] {
            assert_eq!(efficientnet_lite_pytorch(&stages, ours), theirs);
        }
    }
}
