//! What a notebook's first line brings in: `use vision_language::prelude::*;`.
//!
//! Every type that a notebook variable of the course can have is named here.

pub use candle_core::{D, DType, Device, Module, Tensor};
pub use std::path::{Path, PathBuf};
pub use std::sync::Arc;
pub use std::time::Duration;

pub use image::{ImageBuffer, Rgb, RgbImage};

pub use crate::clip::objectives::{
    BagOfWords, Captioner, Labels, Objective, ObjectiveRow, ObjectivesConfig, objective_curve,
    objectives_plot,
};
pub use crate::clip::probe::{
    Lbfgs, LinearProbe, Minimum, ProbeOptions, Sweep, SweepOptions, sweep,
};
pub use crate::clip::suite::{
    Corruption, FewShot, FineGrained, FineTuneOptions, FineTuned, Gallery, Painted, ProbeScores,
    Prompts, Relations, Scores, Shift, Task, TaskData, ZeroShotScores, draw_scenes,
    effective_robustness, expected_accuracy, few_shot, few_shot_probes, fine_grained, paired_test,
    plain_encoder, probe_scores, relations, robustness_by_shift, shifts, slides_table,
    typographic_attack, zero_shot_of_task, zero_shot_scores,
};
pub use crate::clip::{
    AvgMeter, ClipLoss, ClipModel, Confusion, EncodeText, FindMatches, HeadBuilder, ImageIndex,
    IndexFile, KeepBest, LinearHead, LiveCurves, Match, Precision, Prediction, Projection,
    PromptSearch, Recalls, Retrieval, Save, Step, TextClassifier, TextTable, TrainLog,
    ZeroShotClassifier, head, imagenet_templates, match_grid, mixed_query, prediction_grid,
    read_templates, retrieval, scene_templates, search_prompts, top_k_accuracy, train_epoch,
    valid_epoch,
};
pub use crate::config::{
    Activation, BertConfig, CbowConfig, ClipResNetConfig, ClipTextConfig, Config, DistilBertConfig,
    EfficientNetLiteConfig, Fit, Gpt2Config, ImageEncoderConfig, LanguageModelConfig, LlamaConfig,
    ResNetConfig, Schedule, Start, Temperature, TextEncoderConfig, VitConfig,
};
pub use crate::dalle::{
    Dalle, DalleConfig, DalleData, DalleHoles, DalleLog, DalleSequence, DalleStep, DrawConfig,
    Drawing, Dvae, DvaeConfig, DvaeLog, DvaeStep, Quantize, Ramp, Sequence, SequenceLayout, mosaic,
    small_grid, train_dalle, train_dvae,
};
pub use crate::dataset::scenes::single::{self, Singles};
pub use crate::dataset::scenes::{Asks, Question, Scene, Split};
pub use crate::dataset::{
    BadRows, Batch, Batches, CaptionLayout, Captions, DataFolder, FolderPairs, Item, Loader, Mind,
    PairDataset, Review, SENTIMENTS, Skipped, Splits, Transform, load_image, reviews,
    split_by_image,
};
pub use crate::display::{
    Curve, GridItem, Interruptible, Live, Picture, Progress, Show as _, Spread, Table, bars,
    difference_bars, heatmap, image_grid, interrupted, line_plot, loss_curves, parameters,
    scatter_plot, similarity_heatmap, spread_plot,
};
pub use crate::encoder::{self, ImageEncoder, TextEncoder};
pub use crate::exercise::hint::{Hint, hint};
pub use crate::exercise::{Filled, Hole, Report, check, filled, scenes, stand_in};
pub use crate::frozen::{
    CaptionLoss, EpochScores, Example, FreezeLm, Frozen, FrozenConfig, FrozenHoles, FrozenLog,
    FrozenStep, LmStart, VisualPrefix, VqaScore, caption_score, examples, overfitting,
    train_frozen_epoch, valid_frozen_epoch, vqa,
};
pub use crate::language_model::{
    CausalLm, Decoding, EarlyStopping, GenerateConfig, Gpt2, KvCache, Likelihood, Llama, LmInput,
    Perplexity, generate, likelihood, score, score_long, token_log_probabilities,
};
pub use crate::measure::{
    Moments, PictureClassifier, PictureReport, Seen, code_counts, code_perplexity,
    frechet_distance, picture_report, psnr,
};
pub use crate::nn::ops::{gelu, relu};
pub use crate::nn::{
    AdamW, BatchNorm2d, Conv2d, Dropout, Ema, Embedding, GroupNorm, Init, LayerNorm, Linear, Mode,
    Param, ParamGroup, Params, ReduceLrOnPlateau, l2_normalize,
};
pub use crate::prompting::{
    Body, CausalFiller, Classifier, Episode, FewShotPrompt, InContext, Length, MaskedFiller,
    Pattern, Prompt, PromptTemplate, ReadAnswer, Segment, Shot, Shows, SlotFiller, TuneConfig,
    Verbalizer, accuracy, calibrate, choose_answers, episode_prompts, name_episodes,
    question_episodes, right_choices, right_words,
};
pub use crate::text::{BpeTokenizer, Encoded, Side, Tokenizer};
pub use crate::unclip::{
    ArPrior, CaptionBatch, Condition, Decoder, DecoderConfig, DecoderDraw, Diffusion, Guidance,
    NoiseKind, NoiseSchedule, Part, Prior, PriorConfig, PriorDraw, Sampler, Through, Unclip,
    UnclipData, UnclipStep, UnclipTraining, cosines, gaussian_rows, slerp, text_difference,
    train_decoder, train_prior,
};
pub use crate::{Error, Result};
pub use candle_nn::loss::cross_entropy;
pub use candle_nn::ops::softmax;
