//! right
//! The smaller of the two; saved when it has changed.

    let best = best_loss.min(valid_loss);
    if best != best_loss {
        let path: PathBuf = [folder, Path::new("best.pt")].iter().collect();
        model.save(&path)?;
    }
    Ok(best)
