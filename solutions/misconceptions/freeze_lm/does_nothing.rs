//! killed by: frozen, as nothing_frozen
//! The list is made and thrown away.

    let _ = language_model.all();
    Ok(())
