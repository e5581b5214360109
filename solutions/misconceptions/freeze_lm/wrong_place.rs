//! killed by: frozen, as nothing_frozen
//! A place that is not there.

    language_model.pp("text_encoder").set_trainable(false);
    Ok(())
