//! right
//! The place does it for all below it.

    language_model.set_trainable(false);
    Ok(())
