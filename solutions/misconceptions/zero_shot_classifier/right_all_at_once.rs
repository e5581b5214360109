//! right
//! One call of the encoder for all sentences.

    let (c, t) = (class_names.len(), templates.len());
    let sentences: Vec<String> = class_names
        .iter()
        .flat_map(|name| templates.iter().map(move |template| template.replace("{label}", name)))
        .collect();
    let embeddings = l2_normalize(&encode_text(&sentences)?)?;
    let p = embeddings.dim(1)?;
    l2_normalize(&embeddings.reshape((c, t, p))?.mean(1)?)
