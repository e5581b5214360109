//! killed by: better, as always_saved
//! No condition around the save.

    model.save(&folder.join("best.pt"))?;
    Ok(valid_loss.min(best_loss))
