//! `postern run`: the proxy in front of what the server file names; or, when there is no server file,
//! the demo.
//!
//! SIGTERM and SIGINT drain and stop; a second one stops at once. SIGHUP reloads the policy. Logs and
//! decision lines go to standard error.

mod line_format;
mod lines;
mod logging;
mod memory_image;
mod open_files;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use postern_audit::OnDamage;
use postern_config::Server;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::bench::running;
use crate::clock::{Clock as _, SystemClock};
use crate::demo::{self, Demo, Wishes};
use crate::evidence::EvidenceError;
use crate::load;
use crate::reload::ReloadOutcome;
use crate::start::{Postern, Running, StartError, StartOptions};
use crate::telemetry::{Telemetry, TelemetryError, TelemetrySettings};
use crate::upgrade::{self, Addresses, Inherited, Successor, Successors};

use super::matrix;
use super::output::{Exit, Output};
use super::serving_runtime::{exit_without, serving_runtime};
use super::{CONFIG_DEFAULT, Global};

use logging::LogFormat;

/// SIGXFSZ, whose number is the same on every Unix that Postern runs on.
const FILE_SIZE_SIGNAL: i32 = 25;

/// The arguments of `postern run`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// How logs and decisions are written to standard error
    #[arg(long, value_enum, default_value = "text", value_name = "FORMAT")]
    log: LogFormat,
    /// Set a damaged or rolled back audit log aside and begin another, which says so
    #[arg(long)]
    accept_damage: bool,
    /// Take the place of the Postern that runs with the same server file, without refusing anybody
    #[arg(long)]
    upgrade: bool,
    /// Write where clients connect to standard output, and stop when standard input ends
    #[arg(long, hide = true)]
    supervised: bool,
    /// The demo's address for clients [default: 127.0.0.1:8080, or a free port]
    #[arg(long, value_name = "ADDRESS", help_heading = "Demo")]
    listen: Option<SocketAddr>,
    /// The demo's admin address [default: 127.0.0.1:9090, or a free port]
    #[arg(long, value_name = "ADDRESS", help_heading = "Demo")]
    admin: Option<SocketAddr>,
    /// The address of the demo's case API [default: 127.0.0.1:3000, or a free port]
    #[arg(long, value_name = "ADDRESS", help_heading = "Demo")]
    api: Option<SocketAddr>,
    /// The folder for the demo's files
    #[arg(
        long,
        value_name = "DIR",
        default_value = "state/demo",
        help_heading = "Demo"
    )]
    state: PathBuf,
}

pub(super) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Exit {
    let is_demo = global.config.is_none() && !Path::new(CONFIG_DEFAULT).exists();
    let logs = logging::Choice {
        format: arguments.log,
        verbose: global.verbose,
        quiet: global.quiet,
        color: output.colors_errors(),
        is_demo,
    };
    let telemetry = match telemetry() {
        Ok(telemetry) => telemetry,
        Err(error) => {
            output.error(error);
            return Exit::Unreadable;
        }
    };
    let _lines = match logging::start(&logs, telemetry.log_layer()) {
        Ok(guard) => guard,
        Err(reason) => {
            output.error(reason);
            return Exit::Unreadable;
        }
    };
    memory_image::withhold();
    if is_demo && arguments.upgrade {
        output.error("`--upgrade` takes over from a Postern with the same server file: name it with `--config`");
        return Exit::Unreadable;
    }
    if is_demo {
        return run_demo(arguments, &telemetry, output);
    }
    let named = [arguments.listen, arguments.admin, arguments.api];
    if named.iter().any(Option::is_some) {
        output.error("`--listen`, `--admin` and `--api` are for the demo; the server file says where to listen");
        return Exit::Unreadable;
    }
    let config = global.config();
    let options = (arguments, &telemetry);
    serve(config, options, output, |running, server| {
        if arguments.supervised {
            output.text(&format!("{}\n", running.listens_on()));
        }
        say_where(arguments.log, running, server, output);
    })
}

/// Says where Postern listens: on a line for people, or as an event for programs.
fn say_where(log: LogFormat, running: &Running, server: &Server, output: &Output) {
    let version = env!("CARGO_PKG_VERSION");
    let (listen, admin) = (running.listens_on(), running.admin_address());
    let upstream = &*server.upstream.url;
    let told = format!("Postern {version} listens on {listen} for {upstream}, admin on {admin}");
    match log {
        LogFormat::Text => output.note(told),
        LogFormat::Json => tracing::info!(version, listen, upstream, %admin, "{told}"),
    }
}

/// What the standard variables of OpenTelemetry say.
fn telemetry() -> Result<Telemetry, TelemetryError> {
    let settings = TelemetrySettings::read(|name| std::env::var(name).ok())?;
    Telemetry::new(settings, Arc::new(SystemClock))
}

fn run_demo(arguments: &Arguments, telemetry: &Telemetry, output: &Output) -> Exit {
    let wishes = Wishes {
        folder: arguments.state.clone(),
        listen: arguments.listen,
        admin: arguments.admin,
        api: arguments.api,
    };
    let demo = match Demo::prepare(&wishes, SystemClock.wall()) {
        Ok(demo) => demo,
        Err(error) => {
            output.error(error);
            return Exit::Unreachable;
        }
    };
    let config = demo.folder.server_file.clone();
    serve(
        &config,
        (arguments, telemetry),
        output,
        |running, _server| {
            let snapshot = running.store().snapshot();
            let table = snapshot.compiled.policy().map(matrix::as_text);
            output.text(&demo::welcome(&demo, &table.unwrap_or_default()));
        },
    )
}

/// Starts Postern from a server file, says so with `greet`, and runs until it is told to stop.
fn serve(
    config: &Path,
    (arguments, telemetry): (&Arguments, &Telemetry),
    output: &Output,
    greet: impl FnOnce(&Running, &Server),
) -> Exit {
    let server = match load::load_server(config) {
        Ok(server) => server,
        Err(error) => return output.load_failure(&error),
    };
    open_files::raise(&server);
    let inherited = match arguments
        .upgrade
        .then(|| take_over(config, &server, arguments.log, output))
        .transpose()
    {
        Ok(inherited) => inherited,
        Err(exit) => return exit,
    };
    let runtime = match serving_runtime() {
        Ok(runtime) => runtime,
        Err(error) => return exit_without(&error, output),
    };
    let exit = runtime.block_on(async {
        let options = StartOptions {
            server: server.clone(),
            base: load::base_of(config).to_owned(),
            clock: Arc::new(SystemClock),
            on_damage: match arguments.accept_damage {
                true => OnDamage::BeginAnother,
                false => OnDamage::Refuse,
            },
            audit_disk: None,
            telemetry: telemetry.clone(),
            inherited,
        };
        let (signals, running) = match (Signals::listen(), Postern::start(options).await) {
            (Ok(signals), Ok(running)) => (signals, running),
            (Err(error), _) => {
                output.error(format_args!("cannot listen for signals: {error}"));
                return Exit::Unreachable;
            }
            (_, Err(error)) => return start_failure(error, (config, &server), output),
        };
        greet(&running, &server);
        until_told_to_stop(running, signals, arguments.supervised).await;
        Exit::Fine
    });
    // What is left of the runtime (a file watch, a fetch of keys) is not waited for.
    runtime.shutdown_background();
    exit
}

/// Takes over from the Postern that runs, once it is clear that what this one reads is of use.
fn take_over(
    config: &Path,
    server: &Server,
    log: LogFormat,
    output: &Output,
) -> Result<Inherited, Exit> {
    let base = load::base_of(config);
    Postern::check(server, base).map_err(|error| start_failure(error, (config, server), output))?;
    let addresses = Addresses {
        listen: server.listen.address.clone(),
        admin: server.admin.clone(),
    };
    let waiting = "waiting for the Postern that runs to finish what it does";
    match log {
        LogFormat::Text => output.note(waiting),
        LogFormat::Json => tracing::info!("{waiting}"),
    }
    upgrade::take_over(&base.join(&server.state), &addresses).map_err(|error| {
        output.error(error);
        Exit::Unreachable
    })
}

/// The signals that mean something to us.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
    /// A limit on the size of files is an error of a write, not the end of the process.
    _file_size: Signal,
}

impl Signals {
    fn listen() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
            _file_size: signal(SignalKind::from_raw(FILE_SIZE_SIGNAL))?,
        })
    }

    /// The next signal that asks to stop.
    async fn stop(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

async fn until_told_to_stop(mut running: Running, mut signals: Signals, supervised: bool) {
    let reloader = running.reloader();
    let mut successors = running.successors();
    let mut abandoned = std::pin::pin!(abandoned(supervised));
    let successor = loop {
        tokio::select! {
            _ = signals.terminate.recv() => break None,
            _ = signals.interrupt.recv() => break None,
            () = &mut abandoned => break None,
            () = running.stopped() => return,
            successor = next(successors.as_mut()) => break Some(successor),
            _ = signals.hangup.recv() => tell(&reloader.reload_now().await),
        }
    };
    // They hold what the shutdown closes.
    drop((reloader, successors));
    let stopping = async {
        match successor {
            None => {
                tracing::info!("stopping: exchanges that run may finish");
                running.shutdown().await;
            }
            Some(successor) => {
                tracing::info!("another process takes over: exchanges that run may finish");
                if let Err(error) = running.hand_over(successor).await {
                    tracing::error!(%error, "the process that was to take over is gone");
                }
            }
        }
    };
    tokio::select! {
        () = stopping => {}
        () = signals.stop() => tracing::warn!("stopping at once"),
    }
}

async fn next(successors: Option<&mut Successors>) -> Successor {
    match successors {
        Some(successors) => successors.next().await,
        None => std::future::pending().await,
    }
}

/// Done when the supervisor of this process is gone, if it has one.
async fn abandoned(supervised: bool) {
    match supervised {
        true => running::abandoned().await,
        false => std::future::pending().await,
    }
}

fn tell(outcome: &ReloadOutcome) {
    match outcome {
        ReloadOutcome::Unchanged => tracing::info!("the policy has not changed"),
        ReloadOutcome::Loaded { revision } => tracing::info!(revision, "the policy was reloaded"),
        ReloadOutcome::Refused { .. } => tracing::error!("the new policy was refused"),
    }
}

fn start_failure(error: StartError, (config, server): (&Path, &Server), output: &Output) -> Exit {
    if let StartError::Load(error) = error {
        return output.load_failure(&error.of_policy_in(config, server));
    }
    output.error(&error);
    let StartError::Evidence(EvidenceError::Log(error)) = error else {
        return Exit::Unreadable;
    };
    let exit = Exit::of_log(&error);
    if exit == Exit::AuditLogDamaged {
        output.note(
            "copy the folder away and verify it; then `postern run --accept-damage` sets it aside and begins \
             another log, whose first entry says so",
        );
    }
    exit
}
