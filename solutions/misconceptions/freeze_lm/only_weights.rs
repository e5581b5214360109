//! killed by: frozen, as biases_left
//! Only what is called weight.

    let weights = language_model.all().into_iter().filter(|p| p.name().ends_with("weight"));
    weights.for_each(|p| p.set_trainable(false));
    Ok(())
