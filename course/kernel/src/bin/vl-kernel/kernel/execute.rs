//! A cell, from the request to the answer.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use evcxr::{EvalCallbacks, EvalOutputs};
use serde_json::{Map, Value, json};

use super::explain;
use super::help;
use super::past::Why;
use super::shell::Shell;
use super::words::{self, Failure};
use crate::talk::cell::Cell;
use crate::wire::Message;

/// evcxr's errors are large, and here they are only looked at.
type Evaluated = Result<EvalOutputs, Box<evcxr::Error>>;

impl Shell {
    /// Runs a cell and gives the reply; everything else is published on the way.
    pub fn execute(&mut self, request: &Message) -> Message {
        let begun = Instant::now();
        let silent = request.content["silent"] == true;
        if !silent && request.content["store_history"] != false {
            self.count += 1;
        }
        if !silent {
            let input = json!({"code": request.code(), "execution_count": self.count});
            self.kernel.out.publish(request.child("execute_input", input));
        }
        let talk = self.kernel.talk.clone();
        talk.begin(request.clone(), self.count);
        let outcome = match help::own_command(request.code()) {
            Some(data) => Ok(data),
            None => self.evaluate(request),
        };
        let ran = talk.cell().ran;
        let mut content = match outcome {
            Ok(data) => {
                if !data.is_empty() {
                    talk.cell().result(&self.kernel.out, data);
                }
                json!({"status": "ok", "user_expressions": {}, "payload": []})
            }
            Err(failure) => {
                let content = failure.content();
                self.kernel.out.publish(request.child("error", content.clone()));
                self.aborting = request.content["stop_on_error"] != false;
                let mut content = content;
                content["status"] = json!("error");
                content
            }
        };
        content["execution_count"] = json!(self.count);
        let mut reply = request.reply(content);
        // What a bench wants to know: the time in all, and that of the cell's own code.
        reply.metadata =
            json!({"vl": {"wall": begun.elapsed().as_secs_f64(), "ran": ran.as_secs_f64()}});
        reply
    }

    fn evaluate(&mut self, request: &Message) -> Result<Map<String, Value>, Failure> {
        let (talk, out) = (self.kernel.talk.clone(), self.kernel.out.clone());
        // What evcxr's own first cells say is nobody's business.
        talk.cell().audible = false;
        let context = self.context.wait(|note| talk.cell().note(&out, note));
        talk.flush();
        let interrupted = talk.cell().interrupted;
        talk.begin(request.clone(), self.count);
        talk.cell().interrupted = interrupted;
        let context = context.map_err(|why| words::not_started(&why))?;
        let before = variables(context);
        let stdin = &self.stdin;
        let mut callbacks = EvalCallbacks {
            input_reader: &|asked| {
                if request.content["allow_stdin"] != true {
                    return String::new();
                }
                let content = json!({"prompt": asked.prompt, "password": asked.is_password});
                let question = request.child("input_request", content);
                out.stdin(Message { identities: request.identities.clone(), ..question });
                let answer = stdin.recv().map(|answer| answer.content["value"].clone());
                answer.ok().and_then(|value| Some(value.as_str()?.to_owned())).unwrap_or_default()
            },
        };
        let evaluated = catch_unwind(AssertUnwindSafe(|| {
            context.execute_with_callbacks(request.code(), &mut callbacks).map_err(Box::new)
        }));
        talk.flush();
        let after = variables(context);
        let cell = std::mem::replace(&mut *talk.cell(), Cell::new(request.clone(), self.count));
        talk.cell().ran = cell.ran;
        self.past.add(self.count, request.code(), &self.kernel.session.cell());
        let evaluated = evaluated.unwrap_or_else(|_| {
            Err(Box::new(evcxr::Error::Message(
                "evcxr stumbled over this cell; Jupyter's log has its words".into(),
            )))
        });
        self.judge(evaluated, cell, &before, &after)
    }

    /// How the cell went, and what of its variables is gone.
    fn judge(
        &mut self,
        evaluated: Evaluated,
        cell: Cell,
        before: &BTreeMap<String, String>,
        after: &BTreeMap<String, String>,
    ) -> Result<Map<String, Value>, Failure> {
        let gone: Vec<&String> = before.keys().filter(|name| !after.contains_key(*name)).collect();
        for name in &gone {
            let why = if cell.redefined.contains(name) { Why::Redefined } else { Why::Moved };
            self.past.lost(name, why, cell.count);
        }
        for name in after.keys() {
            self.past.found(name);
        }
        match evaluated {
            Ok(outputs) => {
                self.tell_redefined(&cell, before);
                if cell.panicked || cell.failed {
                    self.past.unmade(cell.count, cell.request.code(), after);
                    return Err(match (&cell.panic, cell.panicked) {
                        _ if cell.interrupted && cell.panicked && cell.panic.is_none() => {
                            words::did_not_run()
                        }
                        (panic, true) => words::panicked(panic.as_ref(), &self.past),
                        _ => {
                            let place = cell.error_line.and_then(|line| self.past.place(line, "?"));
                            words::failed(&cell.error, place.as_ref())
                        }
                    });
                }
                Ok(data_of(outputs))
            }
            Err(error) => match *error {
                evcxr::Error::CompilationErrors(errors) => {
                    self.past.unmade(cell.count, cell.request.code(), after);
                    Err(explain::compilation(&errors, cell.request.code(), cell.count, &self.past))
                }
                evcxr::Error::SubprocessTerminated(how) => {
                    for name in before.keys() {
                        self.past.lost(name, Why::Ended, cell.count);
                    }
                    self.past.unmade(cell.count, cell.request.code(), after);
                    let limits = crate::memory::limits();
                    Err(words::ended(&how, &cell, !before.is_empty(), &limits))
                }
                other => Err(words::refused(&other.to_string())),
            },
        }
    }

    /// Says of variables that a redefined type has taken with it.
    fn tell_redefined(&mut self, cell: &Cell, before: &BTreeMap<String, String>) {
        let mut lost = cell.redefined.clone();
        lost.retain(|name| before.contains_key(name));
        lost.dedup();
        if !lost.is_empty() {
            let note = words::redefined(&lost, before);
            self.kernel.talk.cell().note(&self.kernel.out, &note);
        }
    }
}

fn variables(context: &evcxr::CommandContext) -> BTreeMap<String, String> {
    context.variables_and_types().map(|(name, kind)| (name.to_owned(), kind.to_owned())).collect()
}

/// What evcxr's own commands answer (`:vars`), and the time where it was asked for (`:timing`).
fn data_of(outputs: EvalOutputs) -> Map<String, Value> {
    let mut data: Map<String, Value> =
        outputs.content_by_mime_type.into_iter().map(|(kind, text)| (kind, json!(text))).collect();
    if let Some(time) = outputs.timing.filter(|time| *time > Duration::ZERO && data.is_empty()) {
        data.insert("text/plain".into(), json!(format!("took {:.2} s", time.as_secs_f64())));
    }
    data
}
