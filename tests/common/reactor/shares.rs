// SPDX-License-Identifier: MIT OR Apache-2.0
//! Runs the table in processes of its own, several at once.
//!
//! Cases close descriptors and take their numbers again, handle signals and fork, so two of them must not
//! run in one process at the same time; and nearly all of their time is spent waiting for what must not
//! come. The test's own program is started for each share of the cases, told by [`SHARE`] which one. It
//! prints a line for each case, and what it prints besides is shown with the failures.

use super::{Attempt, Bench, Case, Face, ONLY, TABLES, attempt};
use evl::reactor::BackendKind;
use std::env;
use std::process::{Command, Output};
use std::thread;

/// The environment variable that tells a process which share of the cases is its own.
const SHARE: &str = "EVL_CASE_SHARE";
/// How many processes there are: a prime, so that a long case on several backends is not one's alone.
const SHARES: usize = 17;
/// What the line of a case begins with.
const MARK: &str = "case: ";

/// A case on a backend, through a face.
pub struct Job {
    pub bench: Bench,
    pub case: &'static Case,
}

/// Everything that can be tried here.
fn jobs(faces: &[Face]) -> Vec<Job> {
    let only = env::var(ONLY).unwrap_or_default();
    let mut jobs = Vec::new();
    for face in faces.iter().copied() {
        for kind in BackendKind::ALL {
            if matches!((face.create)(kind), Err(libc::ENOTSUP)) {
                println!("skipped: {} has no {kind} here", face.name);
                continue;
            }
            let bench = Bench { face, kind };
            let cases = TABLES.iter().flat_map(|(_, cases)| cases.iter());
            let cases = cases.filter(|case| case.name.contains(&only));
            jobs.extend(cases.map(|case| Job { bench, case }));
        }
    }
    jobs
}

/// Tries every case, and returns what became of it. `test` is the name of the test that calls this; in
/// the processes that it starts there is nothing left to do after this.
pub fn run_all(test: &str, faces: &[Face]) -> Option<Vec<(Job, Attempt)>> {
    let jobs = jobs(faces);
    if let Ok(share) = env::var(SHARE) {
        run_share(share.parse().unwrap(), &jobs);
        return None;
    }
    let outputs: Vec<Output> = thread::scope(|scope| {
        let shares = 0..SHARES.min(jobs.len());
        let shares: Vec<_> = shares.map(|share| scope.spawn(move || start(test, share))).collect();
        shares.into_iter().map(|share| share.join().unwrap()).collect()
    });
    let mut told: Vec<_> = outputs.iter().map(|output| lines_of(output).into_iter()).collect();
    let attempts = (0..jobs.len()).map(|place| told[place % SHARES].next());
    // A process that came to a bad end has not told of the case that brought it there.
    let attempts: Vec<_> = attempts.map(|it| it.unwrap_or(Attempt::Failed)).collect();
    if attempts.contains(&Attempt::Failed) {
        outputs.iter().for_each(show);
    }
    Some(jobs.into_iter().zip(attempts).collect())
}

fn start(test: &str, share: usize) -> Output {
    Command::new(env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture"])
        .env(SHARE, share.to_string())
        .output()
        .unwrap()
}

fn run_share(share: usize, jobs: &[Job]) {
    for job in jobs.iter().skip(share).step_by(SHARES) {
        let word = match attempt(job.case, &job.bench) {
            Attempt::Passed => "passed".to_owned(),
            Attempt::Skipped(why) => format!("skipped: {why}"),
            Attempt::Failed => {
                let (name, Bench { face, kind }) = (job.case.name, &job.bench);
                eprintln!("this was {name} on {kind}, {}", face.name);
                "failed".to_owned()
            }
        };
        // On a line of its own, whatever the harness has printed before.
        println!("\n{MARK}{word}");
    }
}

fn lines_of(output: &Output) -> Vec<Attempt> {
    let text = String::from_utf8_lossy(&output.stdout);
    let words = text.lines().filter_map(|line| line.strip_prefix(MARK));
    words
        .map(|word| match word.strip_prefix("skipped: ") {
            Some(why) => Attempt::Skipped(why.to_owned()),
            None if word == "passed" => Attempt::Passed,
            None => Attempt::Failed,
        })
        .collect()
}

fn show(output: &Output) {
    print!("{}", String::from_utf8_lossy(&output.stderr));
    if !output.status.success() {
        println!("a process that ran cases ended with {}", output.status);
    }
}
