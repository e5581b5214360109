//! killed by: hard, as soft_at_inference
//! Probabilities where a choice is asked for.

    match noise {
        Some(noise) => Ok(softmax(&((logits + noise)? / temperature)?, 1)?),
        None => {
            Ok(softmax(logits, 1)?)
        }
    }
