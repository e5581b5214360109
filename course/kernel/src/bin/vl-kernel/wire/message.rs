//! A message of Jupyter's protocol (5.3): identities, signature, header, parent header, metadata, content.

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use uuid::Uuid;
use zeromq::ZmqMessage;

const DELIMITER: &[u8] = b"<IDS|MSG>";

/// The version of the protocol that this kernel speaks.
pub const PROTOCOL: &str = "5.3";

/// A message, received or to be sent.
#[derive(Clone, Debug, Default)]
pub struct Message {
    /// Who asked, for the answer's way back; of a published message its topic.
    pub identities: Vec<Bytes>,
    pub header: Value,
    pub parent: Value,
    pub metadata: Value,
    pub content: Value,
}

impl Message {
    /// What kind of message it is, `execute_request` for one.
    pub fn kind(&self) -> &str {
        self.header["msg_type"].as_str().unwrap_or_default()
    }

    /// The field `code` of a request.
    pub fn code(&self) -> &str {
        self.content["code"].as_str().unwrap_or_default()
    }

    /// A message that this one caused, for everyone who listens.
    pub fn child(&self, kind: &str, content: Value) -> Message {
        Message {
            identities: vec![Bytes::from(kind.to_owned())],
            header: header(kind, &self.header["session"]),
            parent: self.header.clone(),
            metadata: json!({}),
            content,
        }
    }

    /// The answer to a request, for who asked.
    pub fn reply(&self, content: Value) -> Message {
        let kind = self.kind().replace("_request", "_reply");
        Message { identities: self.identities.clone(), ..self.child(&kind, content) }
    }

    /// Reads a message from its frames and checks its signature.
    pub fn parse(frames: ZmqMessage, key: &str) -> Result<Message> {
        let mut frames = frames.into_vec();
        let at = frames.iter().position(|frame| frame == DELIMITER);
        let at = at.context("a message without delimiter")?;
        let mut parts = frames.split_off(at + 1).into_iter();
        frames.pop();
        let signature = parts.next().context("a message without signature")?;
        let parts: Vec<Bytes> = parts.collect();
        let [head, parent, metadata, content, ..] = parts.as_slice() else {
            bail!("a message of {} parts", parts.len());
        };
        if !key.is_empty() {
            let signature = hex::decode(&signature).context("a signature that is no hex")?;
            let signed = mac(key, &parts);
            signed.verify_slice(&signature).ok().context("a wrong signature")?;
        }
        Ok(Message {
            identities: frames,
            header: serde_json::from_slice(head)?,
            parent: serde_json::from_slice(parent)?,
            metadata: serde_json::from_slice(metadata)?,
            content: serde_json::from_slice(content)?,
        })
    }

    /// The frames that go over the wire.
    pub fn frames(&self, key: &str) -> ZmqMessage {
        let parts = [&self.header, &self.parent, &self.metadata, &self.content];
        let parts: Vec<Bytes> = parts.map(|part| Bytes::from(part.to_string())).into();
        let signature = match key {
            "" => String::new(),
            key => hex::encode(mac(key, &parts).finalize().into_bytes()),
        };
        let mut frames = self.identities.clone();
        frames.push(Bytes::from_static(DELIMITER));
        frames.push(Bytes::from(signature));
        frames.extend(parts);
        ZmqMessage::try_from(frames).expect("six frames at least")
    }
}

fn mac(key: &str, parts: &[Bytes]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("a key of any length");
    for part in parts {
        mac.update(part);
    }
    mac
}

fn header(kind: &str, session: &Value) -> Value {
    json!({
        "msg_id": Uuid::new_v4().to_string(), "msg_type": kind, "session": session, "username": "kernel",
        "date": date(), "version": PROTOCOL,
    })
}

/// The time as ISO 8601, in UTC.
fn date() -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let (seconds, micros) = now.map_or((0, 0), |now| (now.as_secs(), now.subsec_micros()));
    let (days, second) = ((seconds / 86_400) as i64, seconds % 86_400);
    // Days to year, month and day, as Howard Hinnant's `civil_from_days` does it.
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let (day, month) = (doy - (153 * mp + 2) / 5 + 1, if mp < 10 { mp + 3 } else { mp - 9 });
    let year = yoe + era * 400 + i64::from(month <= 2);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> Message {
        Message {
            identities: vec![Bytes::from_static(b"me")],
            header: json!({"msg_type": "execute_request", "session": "s", "msg_id": "1"}),
            parent: json!({}),
            metadata: json!({}),
            content: json!({"code": "1 + 1"}),
        }
    }

    #[test]
    fn a_message_comes_back_from_its_frames() {
        let back = Message::parse(request().frames("secret"), "secret").unwrap();
        assert_eq!((back.kind(), back.code()), ("execute_request", "1 + 1"));
        assert_eq!(back.identities, request().identities);
    }

    #[test]
    fn a_signature_by_another_key_is_refused() {
        let error = Message::parse(request().frames("secret"), "other").unwrap_err();
        assert!(error.to_string().contains("signature"), "{error}");
    }

    #[test]
    fn an_answer_finds_its_way_back() {
        let reply = request().reply(json!({"status": "ok"}));
        assert_eq!((reply.kind(), &reply.parent["msg_id"]), ("execute_reply", &json!("1")));
        assert_eq!(reply.identities, request().identities);
        assert_eq!(
            request().child("status", json!({})).identities,
            [Bytes::from_static(b"status")]
        );
        assert_eq!(date().len(), 27);
    }
}
