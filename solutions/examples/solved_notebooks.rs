//! The notebooks' cells in order, a function a notebook; the names of those to run are the arguments (none: all).
//! Made by `cargo vl sync`: change the notebooks' masters instead.
#![allow(warnings, clippy::all)]
#![cfg_attr(rustfmt, rustfmt_skip)]

fn n00_setup() -> vision_language::Result<()> {
use vision_language::prelude::*;
;

let x = Tensor::new(&[[1f32, 2., 3.], [4., 5., 6.]], &Device::Cpu)?;
println!("{x}");
x.shape().clone()
;

let products = x.matmul(&x.t()?)?;
println!("{products}");
;

match x.matmul(&x) {
    Ok(y) => println!("{y}"),
    Err(error) => println!("{error}"),
}
;

let folder = scenes(Path::new("scenes"), 3000)?;
println!("captions in {}, pictures in {}", folder.captions.display(), folder.images.display());
;

let first = load_image(&folder.images.join("scene_000000.jpg"), 0)?;
Picture::from_image(&first, "the first of the scenes")?
;

let captions = folder.captions(BadRows::Refuse)?;
let mut table = Table::new(["image", "caption"]);
for i in 0..5 {
    table = table.row([&captions.image_filenames[i], &captions.captions[i]]);
}
table
;

pub fn try_me(
    image_embeddings: &Tensor,
    text_embeddings: &Tensor,
    logit_scale: &Tensor,
) -> Result<Tensor> {
    todo!("write your code")
}
;

let answer = check::clip_loss(try_me);
answer
;

hint("clip_loss")
;

Ok(())
}

fn n01_data() -> vision_language::Result<()> {
use vision_language::prelude::*;
;

let folder = scenes(Path::new("scenes"), 3000)?;
let captions = folder.captions(BadRows::Refuse)?;
Table::of_frame(&captions.to_frame()?, 10)
;

let mut counts = vec![0.; 21];
for caption in &captions.captions {
    counts[caption.split_whitespace().count().min(20)] += 1.;
}
let rows = counts.iter().enumerate().filter(|(_, n)| **n > 0.);
let rows: Vec<(String, f64)> = rows.map(|(words, n)| (format!("{words} words"), *n)).collect();
bars("Captions by length", &rows)?
;

let splits = Splits::of(&folder, &captions)?;
let train = captions.select(&splits.train);
let valid = captions.select(&splits.valid);
let unseen_style = captions.select(&splits.unseen_style);
let numbers = [&train, &valid, &unseen_style].map(|part| part.len());
println!("captions: train {}, valid {}, unseen style {}", numbers[0], numbers[1], numbers[2]);
;

let mut items = Vec::new();
for i in (0..45).step_by(5) {
    let picture = load_image(&folder.images.join(&train.image_filenames[i]), i)?;
    items.push(GridItem::new(picture, &train.captions[i]));
}
image_grid(&items, 3)?
;

let config = Config::tiny();
let tokenizer = encoder::tokenizer(&config)?;
let ids = tokenizer.encode("a dog on the grass", config.max_length)?;
println!("{ids:?} of {} tokens\n{}", tokenizer.vocab_size(), tokenizer.decode(&ids)?);
;

let sentences = ["a dog on the grass", "two red apples and a cup on a table"];
let encoded = tokenizer.encode_batch(&sentences, config.max_length, &Device::Cpu)?;
println!("{}\n{}", encoded.input_ids, encoded.attention_mask);
;

let transform = Transform::imagenet(config.size);
let picture = load_image(&folder.images.join(&train.image_filenames[0]), 0)?;
let image = transform.apply(&picture)?;
println!("{:?}, mean {:.2}", image.dims(), image.mean_all()?.to_scalar::<f32>()?);
;

let seen = transform.inverse(&image)?;
let file = GridItem::new(picture.clone(), "the file: 320 × 240");
let seen = GridItem::new(seen, "what the encoder sees: 64 × 64");
image_grid(&[file, seen], 2)?
;

/// The lecture's `CLIPDataset`.
pub struct ClipDataset {
    image_filenames: Vec<String>,
    captions: Vec<String>,
    encoded_captions: Encoded,
    transform: Transform,
    image_folder: PathBuf,
}

impl PairDataset for ClipDataset {
    fn new(
        image_filenames: &[String],
        captions: &[String],
        tokenizer: &Tokenizer,
        transform: &Transform,
        image_folder: &Path,
        max_length: usize,
    ) -> Result<Self> {
        if image_filenames.len() != captions.len() {
            let expected = format!("{} captions, one a file name", image_filenames.len());
            return Err(Error::value("ClipDataset", expected, captions.len()));
        }
        if let Some(row) = captions.iter().position(|c| c.trim().is_empty()) {
            return Err(Error::value(format!("ClipDataset, caption {row}"), "some words", "none"));
        }
        Ok(Self {
            image_filenames: image_filenames.to_vec(),
            captions: captions.to_vec(),
            encoded_captions: tokenizer.encode_batch(captions, max_length, &Device::Cpu)?,
            transform: transform.clone(),
            image_folder: image_folder.to_path_buf(),
        })
    }

    fn len(&self) -> usize {
        self.captions.len()
    }

    fn get(&self, index: usize) -> Result<Item> {
        if index >= self.len() {
            return Err(Error::value("ClipDataset, index", format!("below {}", self.len()), index));
        }
        let path = self.image_folder.join(&self.image_filenames[index]);
        let image = self.transform.apply(&load_image(&path, index)?)?;
        Ok(Item {
            image,
            input_ids: self.encoded_captions.input_ids.get(index)?,
            attention_mask: self.encoded_captions.attention_mask.get(index)?,
            caption: self.captions[index].clone(),
        })
    }

    fn image_filename(&self, index: usize) -> &str {
        &self.image_filenames[index]
    }
}
;

check::clip_dataset::<ClipDataset>()
;

let train_set = stand_in::clip_dataset::<ClipDataset>(
    &train.image_filenames,
    &train.captions,
    &tokenizer,
    &transform,
    &folder.images,
    config.max_length,
)?;
println!("{} pairs", train_set.len());
;

let item = train_set.get(7)?;
println!("image {:?}\nids   {}\nmask  {}", item.image.dims(), item.input_ids, item.attention_mask);
println!("caption \"{}\"", item.caption);
;

let (shuffle_seed, workers, unique_images) = (Some(0), 2, true);
let loader = Loader::new(train_set.clone(), 8, shuffle_seed, workers, unique_images)?;
let batch = loader.epoch(0).next().expect("there is a first batch")?;
println!("images {:?}, ids {:?}", batch.images.dims(), batch.input_ids.dims());
;

let mut items = Vec::new();
for (i, caption) in batch.captions.iter().enumerate() {
    items.push(GridItem::new(transform.inverse(&batch.images.get(i)?)?, caption));
}
image_grid(&items, 4)?
;

match train_set.get(1_000_000) {
    Ok(_) => println!("there is such an item"),
    Err(error) => println!("{error}"),
}
;

Ok(())
}

fn n02_clip() -> vision_language::Result<()> {
use vision_language::prelude::*;
;

let config = Config::tiny();
let mut table = Table::new(["preset", "picture side", "batch", "projection", "epochs"]);
for c in [config.clone(), Config::mini(), Config::lecture()] {
    let numbers = [c.size, c.batch_size, c.projection_dim, c.epochs].map(|n| n.to_string());
    table = table.row([vec![c.preset], numbers.to_vec()].concat());
}
table
;

/// The lecture's `ProjectionHead`.
pub struct ProjectionHead {
    projection: Linear,
    fc: Linear,
    dropout: Dropout,
    layer_norm: LayerNorm,
}

impl Projection for ProjectionHead {
    fn new(
        embedding_dim: usize,
        projection_dim: usize,
        dropout: f64,
        params: &Params,
    ) -> Result<Self> {
        let projection = Linear::new(embedding_dim, projection_dim, &params.pp("projection"))?;
        Ok(Self {
            projection,
            fc: Linear::new(projection_dim, projection_dim, &params.pp("fc"))?,
            dropout: Dropout::new(dropout, params),
            layer_norm: LayerNorm::new(projection_dim, 1e-5, &params.pp("layer_norm"))?,
        })
    }

    fn forward(&self, x: &Tensor, mode: Mode) -> Result<Tensor> {
        let projected = self.projection.forward(x)?;
        let x = gelu(&projected)?;
        let x = self.fc.forward(&x)?;
        let x = self.dropout.forward(&x, mode)?;
        let x = (x + projected)?;
        self.layer_norm.forward(&x)
    }
}
;

check::projection_head::<ProjectionHead>()
;

/// The symmetric contrastive loss: `(b, p)`, `(b, p)`, the slide's `t` → a scalar.
pub fn clip_loss(
    image_embeddings: &Tensor,
    text_embeddings: &Tensor,
    logit_scale: &Tensor,
) -> Result<Tensor> {
    let image_embeddings = l2_normalize(image_embeddings)?;
    let text_embeddings = l2_normalize(text_embeddings)?;
    let logits =
        image_embeddings.matmul(&text_embeddings.t()?)?.broadcast_mul(&logit_scale.exp()?)?;
    let labels = Tensor::arange(0, logits.dim(0)? as u32, logits.device())?;
    let image_loss = cross_entropy(&logits, &labels)?;
    let text_loss = cross_entropy(&logits.t()?, &labels)?;
    Ok(((image_loss + text_loss)? / 2.)?)
}
;

check::clip_loss(clip_loss)
;

let head_builder: HeadBuilder = stand_in::projection_head::<ProjectionHead>();
let loss: ClipLoss = stand_in::clip_loss(clip_loss);
let model = ClipModel::new(&config, head_builder, loss)?;
;

model.parameters()
;

let folder = scenes(Path::new("scenes"), 3000)?;
let captions = folder.captions(BadRows::Refuse)?;
let splits = Splits::of(&folder, &captions)?;
let eight: Vec<usize> = splits.valid.iter().copied().step_by(5).take(8).collect();
let eight = captions.select(&eight);
let transform = Transform::of(&config);
;

let mut pictures = Vec::new();
for (i, name) in eight.image_filenames.iter().enumerate() {
    pictures.push(load_image(&folder.images.join(name), i)?);
}
let images = pictures.iter().map(|p| transform.apply(p)).collect::<Result<Vec<_>>>()?;
let images = Tensor::stack(&images, 0)?;
let encoded = model.tokenizer().encode_batch(&eight.captions, config.max_length, &Device::Cpu)?;
println!("images {:?}, ids {:?}", images.dims(), encoded.input_ids.dims());
;

let image_embeddings = model.encode_image(&images, Mode::Eval)?;
let text_embeddings = model.encode_text(&encoded.input_ids, &encoded.attention_mask, Mode::Eval)?;
println!("{:?} and {:?}", image_embeddings.dims(), text_embeddings.dims());
;

let similarities = model.similarities(&images, &encoded.input_ids, &encoded.attention_mask)?;
similarity_heatmap(&similarities, &pictures, &eight.captions, "Cosine similarity before training")?
;

match model.loss(&images, &encoded.input_ids, &encoded.attention_mask, Mode::Eval) {
    Ok(loss) => println!("loss {:.3}, guessing {:.3}", loss.to_scalar::<f32>()?, 8f32.ln()),
    Err(error) => println!("{error}"),
}
;

Ok(())
}

fn n03_training() -> vision_language::Result<()> {
use vision_language::prelude::*;
;

/// The lecture's `ProjectionHead`.
pub struct ProjectionHead {
    projection: Linear,
    fc: Linear,
    dropout: Dropout,
    layer_norm: LayerNorm,
}

impl Projection for ProjectionHead {
    fn new(
        embedding_dim: usize,
        projection_dim: usize,
        dropout: f64,
        params: &Params,
    ) -> Result<Self> {
        let projection = Linear::new(embedding_dim, projection_dim, &params.pp("projection"))?;
        Ok(Self {
            projection,
            fc: Linear::new(projection_dim, projection_dim, &params.pp("fc"))?,
            dropout: Dropout::new(dropout, params),
            layer_norm: LayerNorm::new(projection_dim, 1e-5, &params.pp("layer_norm"))?,
        })
    }

    fn forward(&self, x: &Tensor, mode: Mode) -> Result<Tensor> {
        let projected = self.projection.forward(x)?;
        let x = gelu(&projected)?;
        let x = self.fc.forward(&x)?;
        let x = self.dropout.forward(&x, mode)?;
        let x = (x + projected)?;
        self.layer_norm.forward(&x)
    }
}
;

/// The symmetric contrastive loss: `(b, p)`, `(b, p)`, the slide's `t` → a scalar.
pub fn clip_loss(
    image_embeddings: &Tensor,
    text_embeddings: &Tensor,
    logit_scale: &Tensor,
) -> Result<Tensor> {
    let image_embeddings = l2_normalize(image_embeddings)?;
    let text_embeddings = l2_normalize(text_embeddings)?;
    let logits =
        image_embeddings.matmul(&text_embeddings.t()?)?.broadcast_mul(&logit_scale.exp()?)?;
    let labels = Tensor::arange(0, logits.dim(0)? as u32, logits.device())?;
    let image_loss = cross_entropy(&logits, &labels)?;
    let text_loss = cross_entropy(&logits.t()?, &labels)?;
    Ok(((image_loss + text_loss)? / 2.)?)
}
;

let config = Config { epochs: 10, ..Config::tiny() };
let head_builder: HeadBuilder = stand_in::projection_head::<ProjectionHead>();
let loss: ClipLoss = stand_in::clip_loss(clip_loss);
let model = ClipModel::new(&config, head_builder, loss)?;
let epochs = if filled::clip_loss(clip_loss).is_filled() { config.epochs } else { 0 };
;

let folder = scenes(Path::new("scenes"), 3000)?;
let captions = folder.captions(BadRows::Refuse)?;
let splits = Splits::of(&folder, &captions)?;
let train = captions.select(&splits.train);
let first_captions: Vec<usize> = splits.valid.iter().copied().step_by(5).collect();
let valid = captions.select(&first_captions);
println!("train: {} captions, valid: {} captions", train.len(), valid.len());
;

pub type Pairs = Arc<dyn PairDataset>;

pub fn pairs(captions: &Captions, folder: &DataFolder, model: &ClipModel) -> Result<Pairs> {
    let (names, texts) = (&captions.image_filenames, &captions.captions);
    let (tokenizer, config) = (model.tokenizer(), model.config());
    let transform = Transform::of(config);
    let max_length = config.max_length;
    let set = FolderPairs::new(names, texts, tokenizer, &transform, &folder.images, max_length)?;
    Ok(Arc::new(set.cached()))
}
;

let (batch_size, workers) = (config.batch_size, config.num_workers);
let train_set = pairs(&train, &folder, &model)?;
let train_loader = Loader::new(train_set, batch_size, Some(config.seed), workers, true)?;
let train_loader = train_loader.one_caption_per_image();
let valid_set = pairs(&valid, &folder, &model)?;
let valid_loader = Loader::new(valid_set, batch_size, None, workers, false)?;
println!("{} steps an epoch", train_loader.steps_per_epoch());
;

let mut optimizer = model.optimizer();
let mut lr_scheduler = ReduceLrOnPlateau::new(config.patience, config.factor);
let mut table = Table::new(["group", "tensors", "learning rate", "weight decay"]);
for group in optimizer.groups() {
    let (lr, decay) = (group.lr.to_string(), group.weight_decay.to_string());
    table = table.row([group.name.clone(), group.params.len().to_string(), lr, decay]);
}
table
;

/// Saves `model` as `best.pt` in `folder` if `valid_loss` is lower than `best_loss`; gives the best loss so far.
pub fn keep_best(valid_loss: f64, best_loss: f64, model: &dyn Save, folder: &Path) -> Result<f64> {
    if valid_loss < best_loss {
        model.save(&folder.join("best.pt"))?;
        return Ok(valid_loss);
    }
    Ok(best_loss)
}
;

check::keep_best(keep_best)
;

let keep: KeepBest = stand_in::keep_best(keep_best);
let mut log = TrainLog::new(epochs);
let mut best_loss = f64::INFINITY;
let mut curves = LiveCurves::new();
;

for epoch in log.train_losses.len()..epochs {
    let title = format!("Epoch: {}", epoch + 1);
    let mut progress = Progress::new(title, train_loader.steps_per_epoch());
    let mut watch = |step: Step| {
        curves.step(&step);
        progress.update(step.step, &step.note());
    };
    let train_loss = train_epoch(&model, &train_loader, &mut optimizer, &mut log, &mut watch)?;
    let valid_loss = valid_epoch(&model, &valid_loader, &mut log)?;
    progress.finish(&format!("train {:.3}, valid {:.3}", train_loss.avg, valid_loss.avg));
    best_loss = keep(valid_loss.avg, best_loss, &model, Path::new("."))?;
    lr_scheduler.step(valid_loss.avg, &mut optimizer);
    curves.epoch(&log)?;
}
if epochs == 0 {
    println!("nothing was trained: there are no curves to show");
}
;

let model = if epochs > 0 { model } else { ClipModel::shipped()? };
let transform = Transform::of(&config);
let eight = valid.select(&[0, 1, 2, 3, 4, 5, 6, 7]);
let mut pictures = Vec::new();
for (i, name) in eight.image_filenames.iter().enumerate() {
    pictures.push(load_image(&folder.images.join(name), i)?);
}
;

let images = pictures.iter().map(|p| transform.apply(p)).collect::<Result<Vec<_>>>()?;
let images = Tensor::stack(&images, 0)?;
let encoded = model.tokenizer().encode_batch(&eight.captions, config.max_length, &Device::Cpu)?;
let similarities = model.similarities(&images, &encoded.input_ids, &encoded.attention_mask)?;
similarity_heatmap(&similarities, &pictures, &eight.captions, "Cosine similarity after training")?
;

let best = Path::new("best.pt");
if epochs > 0 && best.exists() {
    let again = ClipModel::load(best, head_builder, loss)?;
    let valid_loss = valid_epoch(&again, &valid_loader, &mut TrainLog::new(0))?;
    println!("validation loss of best.pt: {:.3}", valid_loss.avg);
} else {
    println!("there is no best.pt of this training");
}
;

Ok(())
}

fn n04_find_matches() -> vision_language::Result<()> {
use vision_language::prelude::*;
;

let model = ClipModel::shipped()?;
let folder = scenes(Path::new("scenes"), 3000)?;
let captions = folder.captions(BadRows::Refuse)?;
let splits = Splits::of(&folder, &captions)?;
let first_captions: Vec<usize> = splits.valid.iter().copied().step_by(5).collect();
let valid = captions.select(&first_captions);
;

let index = ImageIndex::build(&model, &folder.images, &valid.image_filenames, &mut |_| ())?;
println!("{} pictures, embeddings {:?}", index.image_filenames.len(), index.embeddings.dims());
;

/// `(N, p)`, `(1, p)`, a file name a row → the best `n`, best first, one entry a file.
pub fn find_matches(
    image_embeddings: &Tensor,
    text_embedding: &Tensor,
    image_filenames: &[String],
    n: usize,
) -> Result<Vec<Match>> {
    let image_embeddings_n = l2_normalize(image_embeddings)?;
    let text_embeddings_n = l2_normalize(text_embedding)?;
    let dot_similarity = image_embeddings_n.matmul(&text_embeddings_n.t()?)?.flatten_all()?;
    let mut matches: Vec<Match> = image_filenames
        .iter()
        .zip(dot_similarity.to_vec1::<f32>()?)
        .map(|(name, similarity)| Match { image_filename: name.clone(), similarity })
        .collect();
    matches.sort_by(|a, b| b.similarity.total_cmp(&a.similarity));
    let mut seen = std::collections::HashSet::new();
    matches.retain(|m| seen.insert(m.image_filename.clone()));
    matches.truncate(n);
    Ok(matches)
}
;

check::find_matches(find_matches)
;

let find: FindMatches = stand_in::find_matches(find_matches);
let query = "a dog on the grass";
let text_embedding = model.encode_texts(&[query])?;
let matches = find(&index.embeddings, &text_embedding, &index.image_filenames, 9)?;
match_grid(&folder.images, &matches)?
;

let query = "two boats on the sea";
let text_embedding = model.encode_texts(&[query])?;
let matches = find(&index.embeddings, &text_embedding, &index.image_filenames, 9)?;
match_grid(&folder.images, &matches)?
;

let queries = model.encode_texts(&valid.captions)?;
let recall = retrieval(&index.embeddings, &queries)?;
recall.table()
;

let unseen: Vec<usize> = splits.unseen_style.iter().copied().step_by(5).collect();
let unseen = captions.select(&unseen);
let unseen_index = ImageIndex::build(&model, &folder.images, &unseen.image_filenames, &mut |_| ())?;
let recall = retrieval(&unseen_index.embeddings, &model.encode_texts(&unseen.captions)?)?;
recall.table().note(format!("{} pictures in a style never trained on", unseen.len()))
;

let text_embedding = model.encode_texts(&["four cats"])?;
let matches = find(&index.embeddings, &text_embedding, &index.image_filenames, 9)?;
match_grid(&folder.images, &matches)?
;

let text_embedding = model.encode_texts(&["an orchestra plays a symphony"])?;
let matches = find(&index.embeddings, &text_embedding, &index.image_filenames, 9)?;
match_grid(&folder.images, &matches)?
;

Ok(())
}

fn n05_zero_shot() -> vision_language::Result<()> {
use vision_language::prelude::*;
;

let model = ClipModel::shipped()?;
let gallery = Gallery::of(&model, draw_scenes(Split::Valid, 1600, 0))?;
let data: TaskData = Task::Object.of_scenes(&gallery.scenes, 8);
println!("{} pictures of one of {} objects", data.rows.len(), Task::Object.class_names().len());
;

/// Class names `c`, templates with `{label}` in them, the text encoder (texts → `(n, p)`, not normalised) → `(c, p)`: a
/// row a class, in their order, each of length 1.
pub fn zero_shot_classifier(
    class_names: &[String],
    templates: &[String],
    encode_text: &EncodeText<'_>,
) -> Result<Tensor> {
    let mut class_embeddings = Vec::new();
    for name in class_names {
        let sentences: Vec<String> =
            templates.iter().map(|template| template.replace("{label}", name)).collect();
        let embeddings = l2_normalize(&encode_text(&sentences)?)?;
        class_embeddings.push(embeddings.mean(0)?);
    }
    l2_normalize(&Tensor::stack(&class_embeddings, 0)?)
}
;

check::zero_shot_classifier(zero_shot_classifier)
;

let build: ZeroShotClassifier = stand_in::zero_shot_classifier(zero_shot_classifier);
let names = Task::Object.class_names();
let sentence = vec!["a photo of a {label}".to_string()];
let rows = build(&names, &sentence, &|texts| model.encode_texts(texts))?;
let classifier = TextClassifier::new(&names, &rows, &model)?;
let predictions = classifier.predict(&gallery.embeddings_of(&data)?)?;
println!("right: {:.1}%", 100. * top_k_accuracy(&predictions, &data.labels, 1)?);
println!("among the first five: {:.1}%", 100. * top_k_accuracy(&predictions, &data.labels, 5)?);
;

let shown = [0, 5, 9, 14];
let pictures: Vec<RgbImage> = shown.iter().map(|at| gallery.picture(data.rows[*at])).collect();
let guesses: Vec<Prediction> = shown.iter().map(|at| predictions[*at].clone()).collect();
let labels: Vec<Option<usize>> = shown.iter().map(|at| Some(data.labels[*at])).collect();
prediction_grid("object", &sentence[0], &classifier, &pictures, &guesses, &labels)?
;

let mut table = Table::new(["task", "classes", "chance", "label", "sentence", "ensemble"]);
for task in Task::ALL {
    let data = task.of_scenes(&gallery.scenes, 60);
    let scores = zero_shot_scores(build, &model, &gallery, &data)?;
    let found = [scores.bare.accuracy(), scores.one.accuracy(), scores.ensemble.accuracy()];
    let classes = task.class_names().len().to_string();
    let mut row = vec![task.name().to_string(), classes, format!("{:.3}", task.chance())];
    row.extend(found.map(|share| format!("{share:.3}")));
    table = table.row(row);
}
table
;

let templates = imagenet_templates();
println!("{}", templates[..4].join("\n"));
let rows = build(&names, &templates, &|texts| model.encode_texts(texts))?;
let eighty = TextClassifier::new(&names, &rows, &model)?;
let found = eighty.predict(&gallery.embeddings_of(&data)?)?;
println!("80 templates: {:.1}%", 100. * top_k_accuracy(&found, &data.labels, 1)?);
;

let tuning = Task::Object.of_scenes(&gallery.scenes, 4);
let images = gallery.embeddings_of(&tuning)?;
let candidates = scene_templates();
let search = search_prompts(build, &names, &candidates, &|texts| model.encode_texts(texts), &images,
    &tuning.labels, 5)?;
let rows: Vec<(String, f64)> = search.alone.clone();
bars("Each template alone", &rows)?
;

search.taken
;

let confusion = Confusion::new(&names, &predictions, &data.labels)?;
confusion.mistakes(10)
;

let worst: Vec<(String, f64)> = confusion.per_class().into_iter().take(12).collect();
bars("The classes that are recognised worst", &worst)?
;

let counts = Task::Count.of_scenes(&gallery.scenes, 100);
let names = Task::Count.class_names();
let rows = build(&names, &Task::Count.templates(Prompts::Ensemble), &|t| model.encode_texts(t))?;
let counter = TextClassifier::new(&names, &rows, &model)?;
let found = counter.predict(&gallery.embeddings_of(&counts)?)?;
Confusion::new(&names, &found, &counts.labels)?.picture()?
;

let mine: Vec<String> = ["dog", "cat", "boat", "pizza"].map(String::from).to_vec();
let rows = build(&mine, &scene_templates(), &|texts| model.encode_texts(texts))?;
TextClassifier::new(&mine, &rows, &model)?.save(Path::new("mine.pt"))?;
let back = TextClassifier::load(Path::new("mine.pt"))?;
println!("{} rows of {} numbers", back.weights.dims()[0], back.weights.dims()[1]);
;

Ok(())
}

fn n06_transformer() -> vision_language::Result<()> {
use vision_language::prelude::*;
;

let tokens: Vec<String> = ["two", "dogs", "bark"].map(String::from).to_vec();
let q = Tensor::new(&[[1f32, 0.], [0., 2.], [2., 2.]], &Device::Cpu)?;
let k = Tensor::new(&[[2f32, 0.], [0., 2.], [1., 0.]], &Device::Cpu)?;
let v = Tensor::new(&[[1f32, 0.], [0., 1.], [1., 1.]], &Device::Cpu)?;
let scores: Tensor = (q.matmul(&k.t()?)? / 2f64.sqrt())?;
heatmap(&scores, &tokens, &tokens, "scores: queries down, keys across")?
;

let future = Tensor::new(&[[0f32, 1., 1.], [0., 0., 1.], [0., 0., 0.]], &Device::Cpu)?;
let masked: Tensor = (&scores - (future * 1e9)?)?;
let above: Tensor = masked.broadcast_sub(&masked.max_keepdim(1)?)?.exp()?;
let weights: Tensor = above.broadcast_div(&above.sum_keepdim(1)?)?;
heatmap(&weights, &tokens, &tokens, "weights: each row sums to 1")?
;

for (token, row) in tokens.iter().zip(weights.matmul(&v)?.to_vec2::<f32>()?) {
    println!("{token:>5}: {row:.2?}");
}
;

let (model, tokenizer) = Gpt2::tiny()?;
let sizes: Gpt2Config = model.config().clone();
let mut table = Table::new(["part", "numbers"]);
for (name, part) in [("words", "wte"), ("places", "wpe"), ("attention", ".attn."), ("networks", ".mlp."), ("norms", "ln_")] {
    let of_part = model.params().all().into_iter().filter(|p| p.name().contains(part));
    let numbers = of_part.map(|p| p.var().elem_count()).sum::<usize>();
    table = table.row([name.to_string(), numbers.to_string()]);
}
println!("{} layers, {} heads, vectors of {}", sizes.n_layer, sizes.n_head, sizes.n_embd);
table
;

let text: &str = "two dogs on the grass.\nquestion: how many dogs are there? answer:";
let ids: Vec<u32> = tokenizer.encode(text)?;
let row: Tensor = Tensor::new(ids.as_slice(), &Device::Cpu)?.unsqueeze(0)?;
let words: Vec<String> =
    ids.iter().map(|id| tokenizer.token(*id).unwrap_or_default().replace('Ġ', "·").replace('Ċ', "⏎")).collect();
println!("{}", words.join(" "));
;

let logits: Tensor = model.logits(&row, &row.ones_like()?, Mode::Eval)?.detach().get(0)?;
let last = logits.get(ids.len() - 1)?.to_vec1::<f32>()?;
let sum: f32 = last.iter().map(|l| l.exp()).sum();
let mut best: Vec<(f32, u32)> = last.iter().zip(0u32..).map(|(l, id)| (l.exp() / sum, id)).collect();
best.sort_by(|a, b| b.0.total_cmp(&a.0));
let mut shown: Vec<(String, f64)> = Vec::new();
for (p, id) in &best[..5] {
    shown.push((tokenizer.token(*id).unwrap_or_default().replace('Ġ', "·"), f64::from(*p)));
}
bars("the next token", &shown)?
;

let attention: Vec<Tensor> = model.attention_weights(&model.input(&row, &row.ones_like()?)?)?;
let end = ids.len() - 1;
let looks: Vec<Tensor> =
    attention.iter().map(|w| Ok(w.get(0)?.narrow(1, end, 1)?.narrow(2, 0, 1)?.flatten_all()?)).collect::<Result<_>>()?;
let looks: Tensor = Tensor::stack(&looks, 0)?;
let layers: Vec<String> = (1..=4).map(|i| format!("layer {i}")).collect();
let heads: Vec<String> = (1..=4).map(|i| format!("head {i}")).collect();
heatmap(&looks, &layers, &heads, "how much the last place looks at \"two\"")?
;

let flat = looks.flatten_all()?.to_vec1::<f32>()?;
let most: usize = (0..flat.len()).fold(0, |best, i| if flat[i] > flat[best] { i } else { best });
let map: Tensor = attention[most / 4].get(0)?.get(most % 4)?;
heatmap(&map, &words, &words, &format!("layer {}, head {}", most / 4 + 1, most % 4 + 1))?
;

let map: Tensor = attention[0].get(0)?.mean(0)?;
heatmap(&map, &words, &words, "layer 1, mean of its heads")?
;

let mut other = ids.clone();
other[end] = ids[0];
let other = Tensor::new(other.as_slice(), &Device::Cpu)?.unsqueeze(0)?;
let changed = model.logits(&other, &other.ones_like()?, Mode::Eval)?.detach().get(0)?;
let apart: Vec<f32> = (logits - changed)?.abs()?.max(1)?.to_vec1::<f32>()?;
println!("largest change before the last place: {}", apart[..end].iter().cloned().fold(0., f32::max));
println!("at the last place: {:.2}", apart[end]);
;

Ok(())
}

fn n07_frozen() -> vision_language::Result<()> {
use vision_language::prelude::*;
;

pub fn write_on(model: &Gpt2, tokenizer: &BpeTokenizer, text: &str) -> Result<String> {
    let batch = tokenizer.encode_batch(&[text], 128, Side::Left, &Device::Cpu)?;
    let input = model.input(&batch.input_ids, &batch.attention_mask)?;
    let new = generate(model, &input, &GenerateConfig::greedy(12, &[tokenizer.end_of_text()?]))?;
    tokenizer.decode(&new[0])
}
;

let (language_model, tokenizer) = Gpt2::tiny()?;
for text in [
    "two dogs on the",
    "two dogs on the grass.\nquestion: how many dogs are there? answer:",
    "a boat on the sea.\nquestion: where is the boat? answer:",
] {
    println!("{text}▸{}", write_on(&language_model, &tokenizer, text)?);
}
;

/// Afterwards nothing below `language_model` trains.
pub fn freeze_lm(language_model: &Params) -> Result<()> {
    for param in language_model.all() {
        param.set_trainable(false);
    }
    Ok(())
}
;

check::freeze_lm(freeze_lm)
;

/// Features `(b, d_image)` → the prefix `(b, n, d)`.
pub fn visual_prefix(features: &Tensor, projection: &Linear, n: usize) -> Result<Tensor> {
    let visual_prefix = projection.forward(features)?;
    let (b, wide) = visual_prefix.dims2()?;
    Ok(visual_prefix.reshape((b, n, wide / n))?)
}
;

check::visual_prefix(visual_prefix)
;

/// Logits `(b, t, v)`, ids `(b, t)`, mask `(b, t)`, the image token → the mean cross-entropy of the next words.
pub fn caption_loss(
    logits: &Tensor,
    input_ids: &Tensor,
    attention_mask: &Tensor,
    image_token_id: u32,
) -> Result<Tensor> {
    let (b, t, v) = logits.dims3()?;
    let logits = logits.narrow(1, 0, t - 1)?.reshape((b * (t - 1), v))?;
    let targets = input_ids.narrow(1, 1, t - 1)?.flatten_all()?;
    let is_token = attention_mask.narrow(1, 1, t - 1)?.flatten_all()?.to_vec1::<u32>()?;
    let words = targets.to_vec1::<u32>()?.into_iter().zip(is_token).enumerate();
    let counted = words.filter(|(_, (id, token))| *token == 1 && *id != image_token_id);
    let places: Vec<u32> = counted.map(|(place, _)| place as u32).collect();
    let places = Tensor::new(places, logits.device())?;
    Ok(cross_entropy(&logits.index_select(&places, 0)?, &targets.index_select(&places, 0)?)?)
}
;

check::caption_loss(caption_loss)
;

let config = FrozenConfig::tiny();
let holes: Option<FrozenHoles> = stand_in::frozen(freeze_lm, visual_prefix, caption_loss);
let frozen = match holes {
    Some(holes) => Frozen::new(&config, holes)?,
    None => Frozen::shipped()?,
};
let mut table = Table::new(["part", "parameters", "of them train"]);
for part in ["vision_encoder", "vision_proj_m", "text_encoder"] {
    let count = |list: Vec<Param>| list.iter().map(|p| p.var().elem_count()).sum::<usize>();
    let place = frozen.params().pp(part);
    let numbers = [count(place.all()).to_string(), count(place.trainable()).to_string()];
    table = table.row([part.to_string(), numbers[0].clone(), numbers[1].clone()]);
}
table
;

let folder = scenes(Path::new("scenes"), 3000)?;
let captions = folder.captions(BadRows::Refuse)?;
let splits = Splits::of(&folder, &captions)?;
let fullest: Vec<usize> = splits.train.iter().copied().step_by(5).collect();
let train = captions.select(&fullest);
let clip_tokenizer = encoder::tokenizer(&config.base)?;
let transform = Transform::imagenet(config.base.size);
let pairs = FolderPairs::new(
    &train.image_filenames,
    &train.captions,
    &clip_tokenizer,
    &transform,
    &folder.images,
    32,
)?;
let train_loader = Loader::new(Arc::new(pairs.cached()), 64, Some(42), 2, true)?;
;

let epochs = if holes.is_some() { 4 } else { 0 };
let mut optimizer = frozen.optimizer();
let mut log = FrozenLog::new(epochs);
while !log.is_over() {
    let mut watch = |step: FrozenStep| {
        if step.step % 20 == 0 {
            println!("{step}");
        }
    };
    let loss = train_frozen_epoch(&frozen, &train_loader, &mut optimizer, &mut log, &mut watch)?;
    println!("epoch {}: loss {loss:.3}", log.train_losses.len());
}
;

let test = examples(8, Split::Valid, None, config.base.size, 1)?;
let (written, named) = caption_score(&frozen, &test)?;
let mut items = Vec::new();
for (example, text) in test.iter().zip(&written) {
    items.push(GridItem::new(transform.inverse(&example.picture)?, text.clone()));
}
println!("the main object is named in {:.0} % of them", 100. * named);
image_grid(&items, 4)?
;

let shipped = Frozen::shipped()?;
let test = examples(100, Split::Valid, None, config.base.size, 2)?;
let (_, named) = caption_score(&shipped, &test)?;
println!("the main object is named in {:.0} % of the captions", 100. * named);
;

let valid: Vec<usize> = splits.valid.iter().copied().step_by(5).take(8).collect();
let truth = captions.select(&valid);
let mut photographs: Vec<RgbImage> = Vec::new();
let mut inputs: Vec<Tensor> = Vec::new();
for name in &truth.image_filenames {
    let photograph = load_image(&folder.images.join(name), 0)?;
    inputs.push(transform.apply(&photograph)?);
    photographs.push(photograph);
}
;

let generated: Vec<String> = shipped.captions(&Tensor::stack(&inputs, 0)?)?;
let mut items = Vec::new();
for ((photograph, truth), generated) in photographs.iter().zip(&truth.captions).zip(&generated) {
    items.push(GridItem::new(photograph.clone(), format!("{truth}\n{generated}")));
}
image_grid(&items, 4)?
;

let support = examples(150, Split::Train, None, config.base.size, 3)?;
let mut table = Table::new(["examples before the question", "right answers"]);
for shots in [0, 1, 4] {
    let score = vqa(&shipped, &test, &support, shots, 4)?;
    table = table.row([shots.to_string(), format!("{:.2}", score.accuracy())]);
}
table
;

Ok(())
}

fn n08_perplexity() -> vision_language::Result<()> {
use vision_language::prelude::*;
;

let (model, tokenizer) = Gpt2::tiny()?;
let text = "two dogs on the grass.";
let mut ids = vec![tokenizer.end_of_text()?];
ids.extend(tokenizer.encode(text)?);
let row = Tensor::new(ids.as_slice(), &Device::Cpu)?.unsqueeze(0)?;
let logits = model.logits(&row, &row.ones_like()?, Mode::Eval)?.detach();
let chances: Tensor = token_log_probabilities(&logits, &row)?.get(0)?;
let mut table = Table::new(["token", "ln P", "P"]);
for (id, ln_p) in ids[1..].iter().zip(chances.to_vec1::<f32>()?) {
    let token = tokenizer.token(*id).unwrap_or_default();
    table = table.row([token, format!("{ln_p:.3}"), format!("{:.3}", ln_p.exp())]);
}
table
;

let p: f64 = 0.01;
for tokens in [10, 100, 150, 200] {
    let product = (0..tokens).fold(1., |product: f64, _| product * p);
    let root = (1. / product).powf(1. / tokens as f64);
    println!("{tokens:>4} tokens of P = 0.01: P(W) = {product:e}, the root: {root:.2}");
}
;

/// ln P of each token `(t)` → the slide's N-th root.
pub fn perplexity(log_probabilities: &Tensor) -> Result<f64> {
    let mean = log_probabilities.to_dtype(DType::F64)?.mean_all()?.to_scalar::<f64>()?;
    Ok((-mean).exp())
}

/// Is early stopping on perplexity a good way to judge overfitting in Frozen? Thirty words or more.
pub fn early_stopping() -> &'static str {
    "Only in part. Perplexity falls mostly because the prefix learns what captions look like in general, and the frozen \
     language model knows that already; the few tokens that name what is in the picture hardly move the mean. So it can be \
     flat while captions still get better, and it can rise on words that have many right answers while the objects are still \
     named right. It judges the fit to the captions' wording. Whether the picture is understood, and what the model answers \
     to questions that it was not trained on, must be measured by captions and answers on held-out pictures. In the training \
     above, perplexity was best at epoch 27 of 40 and 2 % worse at the end, while 16.5 % of the captions named the main object \
     in place of 14 %, and answers fell from 44.5 to 43 %: of 200 pictures, all of it within chance. Nothing was spoiled by \
     training on, and nothing says that stopping at 27 was right."
}
;

check::perplexity(perplexity, early_stopping)
;

let value: Perplexity = stand_in::perplexity(perplexity);
println!("perplexity of {text:?}: {:.2}", value(&chances)?);
println!("by the library: {:.2}", score(&model, &tokenizer, text)?.per_token());
;

let mut table = Table::new(["text", "nats a token", "bits a token", "a token", "a word"]);
for text in [
    "two dogs on the grass.",
    "two dogs on the grass.\nquestion: how many dogs are there? answer: two.",
    "two dogs on the grass.\nquestion: how many dogs are there? answer: four.",
    "grass the on dogs two.",
    "the senate passed the bill.",
] {
    let found = score(&model, &tokenizer, text)?;
    let numbers = [found.nats_per_token(), found.bits_per_token(), found.per_token(), found.per_word()];
    let [nats, bits, token, word] = numbers.map(|v| format!("{v:.2}"));
    table = table.row([text.replace('\n', " ⏎ "), nats, bits, token, word]);
}
table
;

let long = "two dogs on the grass.\nquestion: how many dogs are there? answer: two.\n".repeat(30);
let ids = tokenizer.encode(&long)?;
for stride in [24, 96, 192] {
    let found = score_long(&model, &ids, 192, stride)?;
    println!("{} tokens, stride {stride:>3}: perplexity {:.3}", ids.len(), found.per_token());
}
;

let frozen = Frozen::shipped()?;
let test = examples(6, Split::Valid, None, frozen.config().base.size, 5)?;
let (captions, _) = caption_score(&frozen, &test)?;
let mut pictures: Vec<Tensor> = test.iter().map(|e| e.picture.clone()).collect();
let mut table = Table::new(["caption", "its own picture", "the next picture"]);
let own = frozen.caption_likelihoods(&captions, &Tensor::stack(&pictures, 0)?)?;
pictures.rotate_left(1);
let other = frozen.caption_likelihoods(&captions, &Tensor::stack(&pictures, 0)?)?;
for (i, caption) in captions.iter().enumerate() {
    let numbers = [own[i], other[i]].map(|l| format!("{:.2}", l.per_token()));
    table = table.row([caption.clone(), numbers[0].clone(), numbers[1].clone()]);
}
table
;

let epochs: Vec<EpochScores> = overfitting();
fn by_epoch(epochs: &[EpochScores], name: &str, of: fn(&EpochScores) -> f64) -> Curve {
    Curve::new(name, epochs.iter().map(|e| (e.epoch as f64, of(e))).collect())
}
let curves = vec![by_epoch(&epochs, "training captions", |e| e.train_perplexity),
    by_epoch(&epochs, "validation captions", |e| e.valid_perplexity)];
line_plot("Frozen on few pictures", "epoch", "perplexity", &curves)?
;

let curves = vec![by_epoch(&epochs, "captions that name the main object", |e| e.main_object),
    by_epoch(&epochs, "questions answered right", |e| e.vqa)];
line_plot("What it is for", "epoch", "share", &curves)?
;

Ok(())
}

fn n09_prompting() -> vision_language::Result<()> {
use vision_language::prelude::*;
;

/// `f_prompt(x)`: the template with [X] filled, and [Z] as it is.
pub fn prompt_template(template: &str, x: &str) -> Result<String> {
    for slot in ["[X]", "[Z]"] {
        if template.matches(slot).count() != 1 {
            return Err(Error::value("template", format!("one {slot}"), template));
        }
    }
    Ok(template.replace("[X]", x))
}

/// The number of the answer that stands where [Z] stood.
pub fn read_answer(prompt: &str, completed: &str, answers: &[String]) -> Result<Option<usize>> {
    let (before, _) =
        prompt.split_once("[Z]").ok_or_else(|| Error::value("prompt", "a [Z]", prompt))?;
    let filled = completed
        .strip_prefix(before.trim_end())
        .ok_or_else(|| Error::value("completed", before, completed))?;
    let filled = filled.trim_start().to_lowercase();
    let fits = |answer: &String| {
        let rest = filled.strip_prefix(&answer.to_lowercase());
        rest.is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
    };
    let fitting = (0..answers.len()).filter(|i| fits(&answers[*i]));
    Ok(fitting.max_by_key(|i| answers[*i].len()))
}
;

check::prompt_template(prompt_template, read_answer)
;

let fill: PromptTemplate = stand_in::prompt_template(prompt_template);
let read: ReadAnswer = stand_in::read_answer(read_answer);
println!("{}", fill("[X] overall, it was a [Z] movie.", "i love this movie.")?);
;

/// Instruction, examples and query → the prompt in reading order.
pub fn few_shot_prompt(instruction: &str, shots: &[Shot], query: &Shot) -> Result<Vec<Segment>> {
    let mut segments = Vec::new();
    if !instruction.is_empty() {
        segments.push(Segment::Text(format!("{instruction}\n")));
    }
    let mut next = 0;
    for (number, shot) in shots.iter().chain([query]).enumerate() {
        segments.extend((next..next + shot.images).map(Segment::Image));
        next += shot.images;
        let text = match &shot.output {
            _ if number == shots.len() => shot.input.clone(),
            Some(output) => format!("{} {output}\n", shot.input),
            None => return Err(Error::value("shots", "an output in each", &shot.input)),
        };
        segments.push(Segment::Text(text));
    }
    Ok(segments)
}
;

check::few_shot_prompt(few_shot_prompt)
;

let build: FewShotPrompt = stand_in::few_shot_prompt(few_shot_prompt);
let shots = [Shot::text("sea otter =>", "loutre de mer"), Shot::text("cheese =>", "fromage")];
build("Translate English to French:", &shots, &Shot::query("mint =>"))?
;

let causal = CausalFiller::tiny()?;
let verbalizer = Verbalizer::new(&[("++", &["great", "good", "wonderful"]), ("--", &["terrible", "bad", "boring"])]);
let pattern = Pattern::new("[X] overall, it was a [Z] movie.", &verbalizer, fill);
let mut table = Table::new(["the review", "great", "good", "wonderful", "terrible", "bad", "boring"]);
for x in ["i love this movie.", "i walked out.", "a dog on the grass."] {
    let found = causal.likelihoods(&pattern.prompts(&[x.to_string()])?, &verbalizer.answers)?.remove(0);
    let mut row = vec![x.to_string()];
    row.extend(found.iter().map(|l| format!("{:.4}", (-l.nats).exp())));
    table = table.row(row);
}
table
;

let masked = MaskedFiller::tiny()?;
let mut table = Table::new(["the review", "causal: ++", "masked: ++"]);
for x in ["i love this movie.", "i walked out.", "the music was good. i fell asleep."] {
    let input = [x.to_string()];
    let of = [pattern.chances(&causal, &input)?, pattern.chances(&masked, &input)?];
    table = table.row([x.to_string(), format!("{:.2}", of[0][0][0]), format!("{:.2}", of[1][0][0])]);
}
table
;

let nothing = [String::new()];
let mut scores = Vec::new();
for (mind, name) in [(Mind::One, "one mind"), (Mind::Mixed, "mixed mind")] {
    let test = reviews(200, mind, 1);
    let inputs: Vec<String> = test.iter().map(|r| r.text.clone()).collect();
    let labels: Vec<usize> = test.iter().map(|r| r.label).collect();
    let plain = [pattern.chances(&causal, &inputs)?, pattern.chances(&masked, &inputs)?];
    let silent = [pattern.calibrated(&causal, &inputs, &nothing)?, pattern.calibrated(&masked, &inputs, &nothing)?];
    for (i, model) in ["causal", "masked"].iter().enumerate() {
        scores.push((format!("{name}, {model}"), accuracy(&plain[i], &labels)));
        scores.push((format!("{name}, {model}, calibrated"), accuracy(&silent[i], &labels)));
    }
}
bars("right labels, without a single example", &scores)?
;

let inputs: Vec<String> = reviews(6, Mind::One, 3).iter().map(|r| r.text.clone()).collect();
let written = causal.complete(&pattern.prompts(&inputs)?, 4)?;
let found = pattern.read(read, &inputs, &written)?;
for (text, label) in written.iter().zip(&found) {
    let label = label.map_or("no answer", |l| verbalizer.labels[l].as_str());
    println!("{label:>9}  {}", text.trim());
}
;

let test = reviews(150, Mind::Mixed, 1);
let inputs: Vec<String> = test.iter().map(|r| r.text.clone()).collect();
let labels: Vec<usize> = test.iter().map(|r| r.label).collect();
let prompt = accuracy(&pattern.chances(&causal, &inputs)?, &labels);
let mut tuned = Spread::new("fine-tuned GPT-2");
for n in [2, 4, 8, 16, 32] {
    for seed in 0..3 {
        let classifier = Classifier::new(Body::Causal(CausalFiller::tiny()?), 2, seed)?;
        let how = TuneConfig { steps: 25, seed, ..TuneConfig::default() };
        classifier.train(&reviews(n, Mind::Mixed, 10 + seed), &how)?;
        tuned.add(n as f64, classifier.accuracy(&test)?);
    }
}
;

let zero = Spread::level("the prompt, no example", &[2., 32.], prompt);
spread_plot("Reviews of mixed mind", "labelled examples", "right labels", &[tuned.clone(), zero])?
;

let words = name_episodes(100, (2, 2), Shows::Words, Split::Valid, 5)?;
println!("{}", episode_prompts(build, "", &words)?[0].text);
println!("\n(the right name: {})", words[0].candidates[words[0].answer]);
;

let mut plain = Spread::new("as it is");
let mut calibrated = Spread::new("calibrated");
for repeats in 0..4 {
    for seed in 0..3 {
        let episodes = name_episodes(100, (2, repeats), Shows::Words, Split::Valid, 20 + seed)?;
        let x = 2. * repeats as f64;
        let chosen = choose_answers(&causal, build, "", &episodes, false)?;
        plain.add(x, right_choices(&chosen, &episodes));
        let chosen = choose_answers(&causal, build, "", &episodes, true)?;
        calibrated.add(x, right_choices(&chosen, &episodes));
    }
}
spread_plot("Which made-up name?", "examples in the prompt", "right answers", &[plain, calibrated])?
;

let frozen = Frozen::shipped()?;
let size = frozen.config().base.size;
let test = examples(60, Split::Valid, None, size, 7)?;
let support = examples(200, Split::Train, None, size, 8)?;
let one = question_episodes(&test[..1], &support, 1, true, 9)?;
let shown: Prompt = episode_prompts(build, "", &one)?.remove(0);
println!("{}\n(the right answer: {})", shown.text, one[0].candidates[one[0].answer]);
let transform = Transform::imagenet(size);
let mut items = Vec::new();
for picture in &shown.pictures {
    items.push(GridItem::new(transform.inverse(picture)?, ""));
}
image_grid(&items, 2)?
;

let kinds = examples(60, Split::Valid, Some(Asks::Category), size, 7)?;
let known = examples(200, Split::Train, Some(Asks::Category), size, 8)?;
let mut table = Table::new(["examples", "(a) any question", "(b) what kind of thing is this?", "(c) two made-up names"]);
for shots in [0, 1, 2] {
    let three = [
        question_episodes(&test, &support, shots, true, 9)?,
        question_episodes(&kinds, &known, shots, true, 9)?,
        name_episodes(60, (2, shots), Shows::Pictures(size), Split::Valid, 9)?,
    ];
    let mut row = vec![if shots == 0 { "none".to_string() } else { format!("{shots} (of each name)") }];
    for episodes in &three {
        let chosen = choose_answers(&frozen, build, "", episodes, false)?;
        row.push(format!("{:.2}", right_choices(&chosen, episodes)));
    }
    table = table.row(row);
}
table
;

Ok(())
}

fn n10_experiments() -> vision_language::Result<()> {
use vision_language::prelude::*;
;

/// Class names `c`, templates with `{label}` in them, the text encoder (texts → `(n, p)`, not normalised) → `(c, p)`: a
/// row a class, in their order, each of length 1.
pub fn zero_shot_classifier(
    class_names: &[String],
    templates: &[String],
    encode_text: &EncodeText<'_>,
) -> Result<Tensor> {
    let mut class_embeddings = Vec::new();
    for name in class_names {
        let sentences: Vec<String> =
            templates.iter().map(|template| template.replace("{label}", name)).collect();
        let embeddings = l2_normalize(&encode_text(&sentences)?)?;
        class_embeddings.push(embeddings.mean(0)?);
    }
    l2_normalize(&Tensor::stack(&class_embeddings, 0)?)
}
;

let build: ZeroShotClassifier = stand_in::zero_shot_classifier(zero_shot_classifier);
let model = ClipModel::shipped()?;
let plain = plain_encoder(model.config())?;
let painted = Painted::new(&model, draw_scenes(Split::Train, 4000, 0))?;
let train = Gallery::encoded(&model, &painted)?;
let plain_train = Gallery::encoded(&plain, &painted)?;
;

let test_pictures = Painted::new(&model, draw_scenes(Split::Valid, 2000, 1))?;
let test = Gallery::encoded(&model, &test_pictures)?;
let plain_test = Gallery::encoded(&plain, &test_pictures)?;
println!("{} pictures to learn from, {} to be judged by", train.scenes.len(), test.scenes.len());
;

let minimiser = Lbfgs { max_iterations: 100, tolerance: 1e-4, ..Lbfgs::default() };
let probe = ProbeOptions { minimiser, ..ProbeOptions::default() };
let options = SweepOptions { first: vec![-2., 0., 2.], halvings: 1, probe };
let colours = probe_scores(&plain_train, &plain_test, Task::Colour, 20, 40, &options)?;
println!("colour: {:.3} with C = {:.2}", colours.scores.accuracy(), colours.c);
;

let mut table = Table::new(["task", "chance", "zero-shot", "probe on the plain encoder", "on CLIP"]);
let mut differences: Vec<(String, f64)> = Vec::new();
for task in Task::ALL {
    let data = task.of_scenes(&test.scenes, 40);
    let zero_shot = zero_shot_scores(build, &model, &test, &data)?.ensemble.accuracy();
    let base = probe_scores(&plain_train, &plain_test, task, 20, 40, &options)?.scores.accuracy();
    let own = probe_scores(&train, &test, task, 20, 40, &options)?.scores.accuracy();
    let numbers = [task.chance(), zero_shot, base, own].map(|share| format!("{share:.3}"));
    table = table.row([task.name().to_string()].into_iter().chain(numbers));
    differences.push((task.name().to_string(), 100. * (zero_shot - base)));
}
table
;

difference_bars("Zero-shot less a probe on the plain encoder, points", &differences)?
;

slides_table()
;

let data = Task::Object.of_scenes(&test.scenes, 40);
let shots = [1, 2, 4, 8, 16];
let on_clip = few_shot(&train, &test, &data, &shots, 2, 1., 0)?;
let on_plain = few_shot(&plain_train, &plain_test, &data, &shots, 2, 1., 0)?;
let zero_shot = zero_shot_scores(build, &model, &test, &data)?.ensemble.accuracy();
fn points(list: &[FewShot]) -> Vec<(f64, f64)> {
    list.iter().map(|f| (f.shots as f64, f.mean())).collect()
}
let flat: Vec<(f64, f64)> = shots.iter().map(|s| (*s as f64, zero_shot)).collect();
let curves = vec![Curve::new("zero-shot", flat), Curve::new("probe on CLIP", points(&on_clip)),
    Curve::new("on the plain encoder", points(&on_plain))];
line_plot("154 objects", "examples a class", "accuracy", &curves)?
;

let picture = test_pictures.pictures[3].clone();
let mut items = vec![GridItem::new(picture.clone(), "as it is")];
for corruption in Corruption::ALL {
    for severity in [2, 5] {
        let worse = corruption.apply(&picture, severity, 0)?;
        items.push(GridItem::new(worse, format!("{}, severity {severity}", corruption.name())));
    }
}
image_grid(&items, 5)?
;

let classifier = zero_shot_of_task(build, &model, Task::Object, Prompts::Ensemble)?;
let own = probe_scores(&train, &test, Task::Object, 20, 40, &options)?.probe;
let mut ordinary = few_shot_probes(&plain_train, Task::Object, &[1, 2, 4, 8], 1., 0)?;
ordinary.push(probe_scores(&plain_train, &plain_test, Task::Object, 20, 40, &options)?.probe);
let some = Painted::new(&model, draw_scenes(Split::Valid, 600, 2))?;
let unseen = Painted::new(&model, draw_scenes(Split::UnseenStyle, 600, 2))?;
let found = shifts(Task::Object, (&model, &classifier, &own), (&plain, &ordinary), &some, &unseen)?;
let mut table = Table::new(["shift", "severity", "zero-shot", "probe on CLIP", "on the plain encoder"]);
for s in found.iter().filter(|s| [0, 1, 3, 5].contains(&s.severity)) {
    let numbers = [s.zero_shot, s.probe, s.plain].map(|share| format!("{share:.3}"));
    table = table.row([s.name.clone(), s.severity.to_string()].into_iter().chain(numbers));
}
table
;

let baseline: Vec<(f64, f64)> =
    found[0].ordinary.iter().copied().zip(found[1].ordinary.iter().copied()).collect();
let line: Vec<(f64, f64)> =
    (40..99).map(|x| x as f64 / 100.).map(|x| (x, expected_accuracy(&baseline, x))).collect();
let groups = vec![Curve::new("zero-shot", vec![(found[0].zero_shot, found[1].zero_shot)]),
    Curve::new("probe on CLIP", vec![(found[0].probe, found[1].probe)]),
    Curve::new("ordinary models", baseline.clone())];
scatter_plot("The unseen style", "accuracy on known styles", "accuracy on the unseen one", &groups, &line)?
;

difference_bars("Zero-shot's effective robustness, points", &robustness_by_shift(&found))?
;

let examples = Task::Object.of_scenes(&painted.scenes, 20);
let mut tuned = FineTuned::new(ClipModel::shipped()?, &classifier)?;
let tuning = FineTuneOptions { epochs: 4, ..FineTuneOptions::default() };
tuned.fit(&painted, &examples, &tuning)?;
;

let mut table = Table::new(["154 objects", "zero-shot", "probe on CLIP", "fine-tuned"]);
let mut differences: Vec<(String, f64)> = Vec::new();
for (name, pictures) in [("held-out scenes", &some), ("unseen style", &unseen)] {
    let data = Task::Object.of_scenes(&pictures.scenes, usize::MAX);
    let gallery = Gallery::encoded(&model, pictures)?;
    let said = [classifier.predict(&gallery.embeddings_of(&data)?)?,
        own.predict(&gallery.features_of(&data)?)?, tuned.predict(pictures, &data)?];
    let right = said.map(|said| Scores::of(&said, &data.labels).accuracy());
    differences.push((name.to_string(), 100. * (right[2] - right[0])));
    table = table.row([name.to_string()].into_iter().chain(right.map(|share| format!("{share:.3}"))));
}
table
;

difference_bars("Fine-tuned less zero-shot, points", &differences)?
;

let sides: Relations = relations(&model, &test)?;
println!("left or right: {:.3} of {} pictures", sides.left_right, sides.beside);
println!("above or below: {:.3} of {} pictures", sides.above_below, sides.stacked);
println!("for comparison, which object is there: {:.3}", sides.other_object);
;

let mut table = Table::new(["told apart", "pictures", "among themselves", "among others"]);
for group in fine_grained(&classifier, &test)? {
    let numbers = [group.accuracy, group.among_others].map(|share| format!("{share:.3}"));
    let names = [group.alike.join(", "), group.pictures.to_string()];
    table = table.row(names.into_iter().chain(numbers));
}
table
;

let data = Task::Object.of_scenes(&test.scenes, 2);
let pictures = test_pictures.select(&data.rows);
let pizza = classifier.class_names.iter().position(|name| name == "pizza").unwrap_or(0);
let [as_it_is, blank, word, taken] =
    typographic_attack(&model, &classifier, &pictures, &data.labels, pizza)?;
println!("right: {as_it_is:.3}, with a blank label {blank:.3}, with \"pizza\" on it {word:.3}");
println!("taken for a pizza: {taken:.3}");
;

/// The symmetric contrastive loss: `(b, p)`, `(b, p)`, the slide's `t` → a scalar.
pub fn clip_loss(
    image_embeddings: &Tensor,
    text_embeddings: &Tensor,
    logit_scale: &Tensor,
) -> Result<Tensor> {
    let image_embeddings = l2_normalize(image_embeddings)?;
    let text_embeddings = l2_normalize(text_embeddings)?;
    let logits =
        image_embeddings.matmul(&text_embeddings.t()?)?.broadcast_mul(&logit_scale.exp()?)?;
    let labels = Tensor::arange(0, logits.dim(0)? as u32, logits.device())?;
    let image_loss = cross_entropy(&logits, &labels)?;
    let text_loss = cross_entropy(&logits.t()?, &labels)?;
    Ok(((image_loss + text_loss)? / 2.)?)
}
;

let mut trial = ObjectivesConfig { examples: 6400, measurements: 8, ..ObjectivesConfig::tiny() };
(trial.task, trial.base.size) = (Task::Background, 32);
let folder = scenes(Path::new("scenes"), 3000)?;
let captions = folder.captions(BadRows::Refuse)?;
let part = captions.select(&Splits::of(&folder, &captions)?.train);
let (tokenizer, transform) = (encoder::tokenizer(&trial.base)?, Transform::of(&trial.base));
let pairs = FolderPairs::new(&part.image_filenames, &part.captions, &tokenizer, &transform,
    &folder.images, 32)?.cached();
let loader = Loader::new(Arc::new(pairs), 64, Some(42), 2, true)?.one_caption_per_image();
;

let loss: ClipLoss = stand_in::clip_loss(clip_loss);
let has_loss = filled::clip_loss(clip_loss).is_filled();
let held_out = Painted::at(&trial.base, draw_scenes(Split::Valid, 400, 3))?;
let mut rows: Vec<ObjectiveRow> = Vec::new();
for objective in Objective::ALL {
    if objective != Objective::Contrastive || has_loss {
        rows.extend(objective_curve(objective, &trial, loss, &loader, &held_out, &mut |_| {})?);
    }
}
objectives_plot(&rows)?
;

Ok(())
}

fn n11_dalle() -> vision_language::Result<()> {
use vision_language::prelude::*;
;

let pictures: Singles = single::draw(24, Split::Valid, single::SIDE, 0)?;
for caption in &pictures.captions[..4] {
    println!("{caption}");
}
small_grid(&pictures.images, 12, 2, "small pictures of one object")?
;

/// Logits `(b, k, h, w)`, temperature, Gumbel noise of the same shape or none → codes `(b, k, h, w)`.
pub fn quantize(logits: &Tensor, temperature: f64, noise: Option<&Tensor>) -> Result<Tensor> {
    match noise {
        Some(noise) => Ok(softmax(&((logits + noise)? / temperature)?, 1)?),
        None => {
            let best = logits.argmax_keepdim(1)?; // (b, 1, h, w)
            let k = logits.dim(1)? as u32;
            let numbers = Tensor::arange(0, k, logits.device())?.reshape((1, (), 1, 1))?;
            Ok(numbers.broadcast_eq(&best)?.to_dtype(logits.dtype())?)
        }
    }
}
;

check::quantize(quantize)
;

let logits = Tensor::new(&[2f32, 1., 0., -1.], &Device::Cpu)?.reshape((1, 4, 1, 1))?;
let noise = Tensor::new(&[0.1f32, 0.8, -0.3, 0.4], &Device::Cpu)?.reshape((1, 4, 1, 1))?;
let hole = filled::quantize(quantize);
for temperature in [4., 1., 0.25, 1. / 16.] {
    if hole.is_filled() {
        let code = quantize(&logits, temperature, Some(&noise))?.flatten_all()?.to_vec1::<f32>()?;
        println!("temperature {temperature:6.4}: {code:.3?}");
    }
}
let ramp = DvaeConfig::tiny().temperature;
let curve: Vec<f64> = (0..=100).map(|i| ramp.at(f64::from(i) / 100.)).collect();
line_plot("temperature", "% of the training", "τ", &[Curve::of("τ", &curve)])?
;

let dalle = Dalle::shipped()?;
let eight: Tensor = pictures.images.narrow(0, 0, 12)?;
let codes: Tensor = dalle.dvae().codes(&eight)?;
let back: Tensor = dalle.dvae().pictures(&codes)?;
println!("PSNR {:.1} dB", psnr(&back, &eight)?);
small_grid(&Tensor::cat(&[&eight, &back], 0)?, 12, 2, "pictures and their reconstructions")?
;

let rows: Vec<Vec<u32>> = codes.to_vec2::<u32>()?;
let mut items: Vec<GridItem> = Vec::new();
for (row, caption) in rows.iter().take(4).zip(&pictures.captions) {
    items.push(GridItem::new(mosaic(row, 8, 128, 18)?, caption.clone()));
}
image_grid(&items, 4)?
;

let alone: Vec<u32> = (0..128).flat_map(|code| vec![code; 64]).collect();
let alone = Tensor::from_vec(alone, (128, 64), &Device::Cpu)?;
let many: Singles = single::draw(200, Split::Valid, single::SIDE, 1)?;
let counts: Vec<usize> = code_counts(&dalle.dvae().codes(&many.images)?, 128)?;
let used = counts.iter().filter(|n| **n > 0).count();
println!("{used} of 128 codes in use, perplexity {:.1}", code_perplexity(&counts));
small_grid(&dalle.dvae().pictures(&alone)?, 16, 1, "a picture of each code alone")?
;

/// Text ids `(b, t)`, codes `(b, h·w)`, the layout → ids, positions, targets, weights, each `(b, t + h·w)`.
pub fn dalle_sequence(
    text_ids: &Tensor,
    image_codes: &Tensor,
    layout: &SequenceLayout,
) -> Result<Sequence> {
    let (b, t) = text_ids.dims2()?;
    let n = image_codes.dim(1)?;
    let (mut ids, mut positions, mut targets, mut weights) = (vec![], vec![], vec![], vec![]);
    let text_weight = (layout.text_weight / (b * (t - 1)) as f64) as f32;
    let image_weight = (layout.image_weight / (b * n) as f64) as f32;
    for (words, codes) in text_ids.to_vec2::<u32>()?.iter().zip(image_codes.to_vec2::<u32>()?) {
        let own = |(i, id): (usize, &u32)| match *id == layout.pad_id {
            true => (layout.text_vocabulary + i) as u32,
            false => *id,
        };
        let text = words.iter().enumerate().map(own);
        let row: Vec<u32> =
            text.chain(codes.iter().map(|code| layout.first_code() as u32 + code)).collect();
        targets.extend(row[1..].iter().copied().chain([0]));
        ids.extend(row);
        positions.extend((0..t as u32).chain(0..n as u32));
        weights.extend((1..t).map(|_| text_weight).chain((0..n).map(|_| image_weight)).chain([0.]));
    }
    let (shape, device) = ((b, t + n), text_ids.device());
    Ok(Sequence {
        ids: Tensor::from_vec(ids, shape, device)?,
        positions: Tensor::from_vec(positions, shape, device)?,
        targets: Tensor::from_vec(targets, shape, device)?,
        weights: Tensor::from_vec(weights, shape, device)?,
    })
}
;

check::dalle_sequence(dalle_sequence)
;

let holes: Option<DalleHoles> = stand_in::dalle(quantize, dalle_sequence);
let train: Singles = single::draw(512, Split::Train, single::SIDE, 0)?;
let mut curve: Vec<f64> = Vec::new();
if let Some(holes) = holes {
    let dvae = Dvae::new(&DvaeConfig { batch_size: 16, ..DvaeConfig::tiny() }, holes.quantize)?;
    let mut bar = Progress::new("dVAE", 30);
    let log = train_dvae(&dvae, &train.images, 30, None, &mut |step: &DvaeStep| {
        bar.update(step.step, &step.to_string());
    })?;
    bar.finish("−ln P of a value, nats");
    curve = log.steps.iter().map(|step| step.reconstruction).collect();
}
;

if !curve.is_empty() {
    line_plot("thirty steps of the dVAE", "step", "nats", &[Curve::of("−ln P", &curve)])?.show();
}
;

if let Some(holes) = holes {
    let config = DalleConfig { batch_size: 8, ..DalleConfig::tiny() };
    let fresh = Dalle::new(&config, Dvae::shipped()?, dalle.tokenizer().clone(), holes.dalle_sequence)?;
    let data = DalleData::of(&fresh, &train)?;
    let mut bar = Progress::new("transformer", 20);
    let log = train_dalle(&fresh, &data, 20, None, &mut |step: &DalleStep| {
        bar.update(step.step, &step.to_string());
    })?;
    bar.finish("nats a code");
    let ends = [&log.steps[0], &log.steps[19]];
    println!("codes: from {:.2} to {:.2} nats in 20 steps", ends[0].image, ends[1].image);
}
;

let how = DrawConfig { seed: 4, ..DrawConfig::default() };
let caption = "a dog on the grass".to_string();
let one: Drawing = dalle.draw(&[caption.clone()], &how)?;
let mut steps: Vec<Tensor> = Vec::new();
for known in (0..=64).step_by(8) {
    steps.push(dalle.dvae().first_pictures(&one.codes, known)?);
}
small_grid(&Tensor::cat(&steps, 0)?, 9, 3, "a picture appears in nine steps")?
;

let copies = vec![caption.clone(); 36];
let drawn: Drawing = dalle.draw(&copies, &how)?.ranked(&ClipModel::shipped()?)?;
small_grid(&drawn.images, 12, 2, "36 drawings of a dog on the grass, ranked by CLIP")?
;

let mut rows: Vec<Tensor> = Vec::new();
let cold = vec!["a penguin in the snow".to_string(); 8];
for temperature in [0.2, 0.9, 1.8] {
    let decoding = Decoding::Sample { temperature, top_k: None, top_p: None };
    rows.push(dalle.draw(&cold, &DrawConfig { decoding, seed: 1 })?.images);
}
small_grid(&Tensor::cat(&rows, 0)?, 8, 3, "three temperatures: 0.2, 0.9, 1.8")?
;

let captions: Vec<String> = single::held_out_captions(4, 3);
let all: Vec<String> = captions.iter().flat_map(|c| vec![c.clone(); 9]).collect();
let drawn: Drawing = dalle.draw(&all, &how)?;
let real = Moments::of(&PictureClassifier::shipped()?.features(&many.images)?)?;
let report: PictureReport =
    picture_report(&PictureClassifier::shipped()?, &ClipModel::shipped()?, &drawn.images, &all, &real)?;
fn percent(x: f64) -> String {
    format!("{:.0} %", 100. * x)
}
let table = Table::new(["", "object right", "ground right", "CLIP score"])
    .row(["drawings".to_string(), percent(report.object), percent(report.ground), format!("{:.3}", report.clip_score)])
    .row(["chance".to_string(), percent(1. / 32.), percent(1. / 8.), String::new()]);
table
;

for caption in &captions {
    println!("{caption}");
}
small_grid(&drawn.images, 9, 2, "nine drawings of each of four captions")?
;

Ok(())
}

fn n12_dalle2() -> vision_language::Result<()> {
use vision_language::prelude::*;
;

let curves = [("linear (DDPM)", NoiseKind::Linear), ("cosine", NoiseKind::Cosine)].map(|(name, kind)| {
    Curve::of(name, NoiseSchedule::new(kind, 1000).alpha_bars())
});
line_plot("what is left of a picture", "step", "ᾱ", &curves)?
;

/// Guidance without a classifier.
#[derive(Clone, Copy, Debug, Default)]
pub struct ClassifierFree;

impl Guidance for ClassifierFree {
    /// `x0 (b, …)`, `noise (b, …)`, `alpha_bar (b)` → `x_t (b, …)`
    fn noise(&self, x0: &Tensor, noise: &Tensor, alpha_bar: &Tensor) -> Result<Tensor> {
        let mut shape = vec![1; x0.rank()];
        shape[0] = x0.dim(0)?;
        let alpha_bar = alpha_bar.reshape(shape)?;
        let left = alpha_bar.sqrt()?;
        let added = (1. - &alpha_bar)?.sqrt()?;
        Ok((x0.broadcast_mul(&left)? + noise.broadcast_mul(&added)?)?)
    }

    /// `condition (b, …)`, `keep (b)` of 1 and 0 → `(b, …)`
    fn drop_condition(&self, condition: &Tensor, keep: &Tensor) -> Result<Tensor> {
        let mut shape = vec![1; condition.rank()];
        shape[0] = condition.dim(0)?;
        Ok(condition.broadcast_mul(&keep.reshape(shape)?)?)
    }

    /// Two predictions of one shape, the scale `s` → the guided prediction.
    fn guided(&self, conditional: &Tensor, unconditional: &Tensor, scale: f64) -> Result<Tensor> {
        Ok((unconditional + ((conditional - unconditional)? * scale)?)?)
    }
}
;

check::guidance::<ClassifierFree>()
;

let guidance = stand_in::guidance::<ClassifierFree>();
let pictures = single::draw(8, Split::Valid, 32, 4)?;
let clean = ((&pictures.images * 2.)? - 1.)?;
let noise = gaussian_rows(0, 8, &[3, 32, 32])?;
let steps = [0, 100, 250, 400, 550, 700, 850, 999];
let left = NoiseSchedule::new(NoiseKind::Cosine, 1000).at(&steps)?;
let noisy = match guidance.noise(&clean, &noise, &left) {
    Ok(noisy) => noisy,
    Err(_) => clean.clone(),
};
small_grid(&((&noisy + 1.)? / 2.)?, 8, 2, "pictures with more and more noise")?
;

let shipped = Unclip::shipped()?;
let data = Unclip::examples(&shipped.clip, 256, Split::Train, 0)?;
let small = DecoderConfig { channels: vec![16, 32], ..DecoderConfig::tiny() };
let decoder = Decoder::new(&small, &Params::new(&Device::Cpu, 0))?;
let how = UnclipTraining { steps: 60, batch_size: 16, lr: 3e-3, ..UnclipTraining::default() };
let mut bar = Progress::new("decoder", how.steps);
let losses = train_decoder(&decoder, &data, guidance.as_ref(), &how, &mut |step: &UnclipStep| {
    bar.update(step.step, &format!("loss {:.3}", step.loss));
});
bar.finish("");
match &losses {
    Ok(losses) => line_plot("the decoder's loss", "step", "loss", &[Curve::of("loss", losses)])?.show(),
    Err(error) => println!("{error}"),
}
;

let four = pictures.images.narrow(0, 0, 4)?;
let by = Condition::image(&shipped.embed(&four)?)?;
let how = DecoderDraw::faithful(25, 2.);
let strip = shipped.strip(&by, &shipped.noise(4, 0)?, &how, 8, guidance.as_ref())?;
let rows = Tensor::cat(&[strip.reshape((4, 8, 3, 32, 32))?, four.unsqueeze(1)?], 1)?;
small_grid(&rows.flatten(0, 1)?, 9, 2, "four drawings on their way, and the pictures they were to be like")?
;

let one = Condition::image(&shipped.embed(&four.narrow(0, 0, 1)?)?.repeat((5, 1))?)?;
let noise = shipped.noise(5, 7)?;
let mut rows = Vec::new();
for scale in [0., 1., 2., 4., 8.] {
    rows.push(shipped.paint(&one, &noise, &DecoderDraw::faithful(20, scale), 0, guidance.as_ref())?);
}
small_grid(&Tensor::cat(&rows, 0)?, 5, 2, "a row a guidance scale, 0 to 8")?
;

let test = single::draw(100, Split::Valid, 32, 9)?;
let truth = shipped.embed(&test.images)?;
let captions = shipped.captions(&test.captions)?;
let mut table = Table::new(["where the embedding comes from", "cosine to the picture's own"]);
for (name, through) in [
    ("the caption's own embedding", Through::Text),
    ("prior, one draw", Through::Diffusion(PriorDraw { candidates: 1, ..PriorDraw::default() })),
    ("prior, the better of two", Through::Diffusion(PriorDraw::default())),
    ("autoregressive prior", Through::Autoregressive(1.)),
] {
    let drawn = cosines(&shipped.imagine(&captions, through, 0, guidance.as_ref())?, &truth)?;
    table = table.row([name.to_string(), format!("{:.3}", drawn.iter().sum::<f32>() / 100.)]);
}
table
;

let how = DecoderDraw::faithful(25, 2.);
let drawn = shipped.draw(
    &["a dog on the grass", "a rocket in the sky", "a penguin on the snow"],
    6,
    Through::default(),
    &how,
    0,
    guidance.as_ref(),
)?;
small_grid(&drawn, 6, 3, "six drawings of each of three captions")?
;

let names: Vec<String> = single::held_out_captions(4, 3);
let all: Vec<String> = names.iter().flat_map(|name| vec![name.clone(); 8]).collect();
let judge = PictureClassifier::shipped()?;
let real = Moments::of(&judge.features(&single::draw(200, Split::Valid, 32, 1)?.images)?)?;
let mut trade = Table::new(["scale", "object right", "ground right", "diversity"]);
for scale in [0., 1., 2., 4., 8.] {
    let how = DecoderDraw::faithful(15, scale);
    let drawn = shipped.draw(&names, 8, Through::default(), &how, 0, guidance.as_ref())?;
    let report = picture_report(&judge, &shipped.clip, &drawn, &all, &real)?;
    let shares = [report.object, report.ground].map(|x| format!("{:.0} %", 100. * x));
    let [object, ground] = shares;
    trade = trade.row([format!("{scale}"), object, ground, format!("{:.2}", report.diversity.unwrap_or(0.))]);
}
trade
;

let picture = pictures.images.narrow(0, 1, 1)?;
let varied = shipped.variations(&picture, 7, &how, 1, guidance.as_ref())?;
small_grid(&Tensor::cat(&[&picture, &varied], 0)?, 8, 2, "a picture and seven variations")?
;

let (from, to) = (pictures.images.narrow(0, 0, 1)?, pictures.images.narrow(0, 2, 1)?);
let between = shipped.interpolation(&from, &to, 8, &how, guidance.as_ref())?;
small_grid(&Tensor::cat(&[&from, &between, &to], 0)?, 10, 2, "from one picture to another")?
;

let dog = shipped.draw(&["a dog on the grass"], 1, Through::default(), &how, 3, guidance.as_ref())?;
let words = ["a dog on the grass", "a dog on the snow"];
let changed = shipped.text_diff(&dog, words, 8, 0.6, &how, guidance.as_ref())?;
small_grid(&Tensor::cat(&[&dog, &changed], 0)?, 9, 2, "from the grass to the snow")?
;

Ok(())
}

fn main() -> std::process::ExitCode {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let all: &[(&str, fn() -> vision_language::Result<()>)] = &[
        ("00_setup", n00_setup),
        ("01_data", n01_data),
        ("02_clip", n02_clip),
        ("03_training", n03_training),
        ("04_find_matches", n04_find_matches),
        ("05_zero_shot", n05_zero_shot),
        ("06_transformer", n06_transformer),
        ("07_frozen", n07_frozen),
        ("08_perplexity", n08_perplexity),
        ("09_prompting", n09_prompting),
        ("10_experiments", n10_experiments),
        ("11_dalle", n11_dalle),
        ("12_dalle2", n12_dalle2),
    ];
    for (name, run) in all {
        if !wanted.is_empty() && !wanted.iter().any(|w| w == name) {
            continue;
        }
        println!("# {name}");
        if let Err(error) = run() {
            eprintln!("{name}: {error}");
            return std::process::ExitCode::FAILURE;
        }
    }
    std::process::ExitCode::SUCCESS
}
