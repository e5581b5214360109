//! right
//! Plain numbers, in double precision.

    let mut rows = Vec::new();
    for name in class_names {
        let mut mean: Vec<f64> = Vec::new();
        for template in templates {
            let embedding = encode_text(&[template.replace("{label}", name)])?;
            let row = embedding.flatten_all()?.to_vec1::<f32>()?;
            let length = row.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>().sqrt();
            mean.resize(row.len(), 0.);
            for (m, v) in mean.iter_mut().zip(row) {
                *m += f64::from(v) / length / templates.len() as f64;
            }
        }
        let length = mean.iter().map(|v| v * v).sum::<f64>().sqrt();
        rows.push(mean.into_iter().map(|v| (v / length) as f32).collect::<Vec<_>>());
    }
    Ok(Tensor::new(rows, &Device::Cpu)?)
