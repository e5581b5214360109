//! killed by: frozen, as embeddings_left
//! The layers and the last norm, not the tables.

    language_model.pp("transformer.h").set_trainable(false);
    language_model.pp("transformer.ln_f").set_trainable(false);
    Ok(())
