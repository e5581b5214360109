//! killed by: first, as best_not_updated
//! The old best loss is given, always.

    if valid_loss < best_loss {
        model.save(&folder.join("best.pt"))?;
    }
    Ok(best_loss)
