//! right
//! The order of two numbers, matched.

    use std::cmp::Ordering;
    match valid_loss.partial_cmp(&best_loss) {
        Some(Ordering::Less) => {
            model.save(&folder.join("best.pt"))?;
            Ok(valid_loss)
        }
        _ => Ok(best_loss),
    }
