//! `serve`: from a fresh clone to a page in the browser. The native server serves the page too, so there is one address.

use crate::project::{cargo, command, root, server_binary};
use crate::site;
use crate::steps::{announce, run, shown};
use crate::tools::{Need, provide};
use anyhow::{Context, Result, bail};
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// What `serve` can be told.
#[derive(clap::Args)]
pub struct Options {
    /// Where the native server listens, and serves the page
    #[arg(long, default_value = "127.0.0.1:8000")]
    addr: SocketAddr,
    /// Rebuild and reload the page on every change, served by Trunk on a port of its own
    #[arg(long)]
    watch: bool,
    /// The page's port with --watch
    #[arg(long, default_value_t = 8080)]
    port_site: u16,
    /// Handed on to `faultline serve`, for example: -- --scenario database-outage --real db=sqlite:/tmp/lab.sqlite
    #[arg(last = true)]
    server: Vec<String>,
}

/// Set when the user (or whoever started us) wants us to end.
static STOP: AtomicBool = AtomicBool::new(false);

/// Starts everything and ends everything.
pub fn serve(options: &Options) -> Result<()> {
    let page: SocketAddr = if options.watch { ([127, 0, 0, 1], options.port_site).into() } else { options.addr };
    require_free(options.addr, "--addr 127.0.0.1:8001")?;
    if options.watch {
        require_free(page, "--port-site 8081")?;
        site::check_proxies(options.addr)?;
    }
    provide(&[Need::WasmTarget, Need::Trunk, Need::WasmBindgen])?;

    if !options.watch {
        announce("building the page (a few minutes the first time, seconds after that)");
        site::build("dist")?;
    }
    announce("building the native server");
    run(&mut cargo(&["build", "--locked", "-p", "server", "--release"]))?;

    announce("starting");
    ctrlc::set_handler(|| STOP.store(true, Ordering::SeqCst)).context("cannot listen for Ctrl-C")?;
    let mut parts = Parts::default();
    parts.start("the native server", &mut server(options)?)?;
    if options.watch {
        site::check_index()?;
        parts.start("trunk serve", &mut watcher(page))?;
    }
    let patience = Duration::from_secs(if options.watch { 900 } else { 60 });
    if parts.wait_until_answering(page, patience)? {
        println!("\n    Faultline is ready: open  {}\n    Ctrl-C ends it.\n", address(page));
        parts.wait_until_stopped()?;
    }
    Ok(())
}

fn server(options: &Options) -> Result<Command> {
    let mut server = command(server_binary()?);
    server.args(["serve", "--addr", &options.addr.to_string()]);
    if !options.watch {
        server.arg("--site").arg(root().join("dist"));
    }
    server.args(&options.server);
    Ok(server)
}

fn watcher(page: SocketAddr) -> Command {
    let mut watcher = site::trunk(&["serve", "--address"]);
    watcher.arg(page.ip().to_string()).args(["--port", &page.port().to_string()]);
    watcher.args(["--release", "false", "--cargo-profile", "dev", "--dist", "target/watch"]);
    watcher
}

/// An address that a browser can open: one that listens everywhere is reached on this machine.
fn address(page: SocketAddr) -> String {
    format!("http://{}/", reachable(page))
}

fn reachable(mut page: SocketAddr) -> SocketAddr {
    if page.ip().is_unspecified() {
        page.set_ip(if page.is_ipv4() { [127, 0, 0, 1].into() } else { std::net::Ipv6Addr::LOCALHOST.into() });
    }
    page
}

/// An error when something else already listens there: it would answer in our place.
fn require_free(addr: SocketAddr, instead: &str) -> Result<()> {
    match TcpListener::bind(addr) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AddrInUse => {
            bail!(
                "{addr} is in use by another program; end that one, or take another address: cargo xtask serve {instead}"
            )
        }
        Err(error) => Err(error).with_context(|| format!("cannot listen on {addr}")),
    }
}

/// Whether a GET of the page is answered with 200.
fn answers(page: SocketAddr) -> bool {
    let ask = || -> std::io::Result<bool> {
        let patience = Duration::from_millis(500);
        let mut stream = TcpStream::connect_timeout(&reachable(page), patience)?;
        stream.set_read_timeout(Some(patience))?;
        // In one piece: who answers and closes after the first of several would cut us off.
        let request = format!("GET / HTTP/1.1\r\nHost: {page}\r\nAccept: text/html\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes())?;
        let mut start = [0; 12];
        stream.read_exact(&mut start)?;
        Ok(start.starts_with(b"HTTP/1.") && start.ends_with(b" 200"))
    };
    ask().unwrap_or(false)
}

/// The programs that we started; all end when this is dropped.
#[derive(Default)]
struct Parts(Vec<(&'static str, Child)>);

impl Parts {
    fn start(&mut self, name: &'static str, command: &mut Command) -> Result<()> {
        let child = command.spawn().with_context(|| format!("cannot start `{}`", shown(command)))?;
        self.0.push((name, child));
        Ok(())
    }

    /// True when the page answers, false when we were told to stop before.
    fn wait_until_answering(&mut self, page: SocketAddr, patience: Duration) -> Result<bool> {
        let start = Instant::now();
        while !STOP.load(Ordering::SeqCst) {
            if answers(page) {
                return Ok(true);
            }
            self.require_alive()?;
            if start.elapsed() > patience {
                bail!("{} does not answer after {} s", address(page), patience.as_secs());
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        Ok(false)
    }

    fn wait_until_stopped(&mut self) -> Result<()> {
        while !STOP.load(Ordering::SeqCst) {
            self.require_alive()?;
            std::thread::sleep(Duration::from_millis(100));
        }
        Ok(())
    }

    fn require_alive(&mut self) -> Result<()> {
        for (name, child) in &mut self.0 {
            if let Some(status) = child.try_wait()? {
                // Ctrl-C reaches every program of the terminal at once; one may be gone before we look.
                std::thread::sleep(Duration::from_millis(200));
                if !STOP.load(Ordering::SeqCst) {
                    bail!("{name} ended by itself ({status})");
                }
            }
        }
        Ok(())
    }

    /// Waits this long; true when all have ended.
    fn ended_within(&mut self, patience: Duration) -> bool {
        let start = Instant::now();
        loop {
            self.0.retain_mut(|(_, child)| !matches!(child.try_wait(), Ok(Some(_))));
            if self.0.is_empty() || start.elapsed() > patience {
                return self.0.is_empty();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Parts {
    /// A terminal's Ctrl-C has reached the parts already; others have to be asked, and the deaf are killed.
    fn drop(&mut self) {
        if self.ended_within(Duration::from_millis(500)) {
            return;
        }
        if cfg!(unix) {
            for (_, child) in &self.0 {
                let _ = command("kill").args(["-TERM", &child.id().to_string()]).status();
            }
            if self.ended_within(Duration::from_secs(10)) {
                return;
            }
        }
        for (name, child) in &mut self.0 {
            eprintln!("{name} did not end when asked and is killed");
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_in_use_is_refused_with_a_way_out() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let error = require_free(taken.local_addr().unwrap(), "--addr 127.0.0.1:8001").unwrap_err().to_string();
        assert!(error.contains("in use") && error.contains("--addr 127.0.0.1:8001"), "{error}");
    }

    #[test]
    fn only_a_200_counts_as_an_answer() {
        for (reply, expected) in [("HTTP/1.1 200 OK\r\n\r\n", true), ("HTTP/1.1 404 Not Found\r\n\r\n", false)] {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let addr = listener.local_addr().unwrap();
            let server = std::thread::spawn(move || {
                let (mut stream, _) = listener.accept().unwrap();
                let _ = stream.read(&mut [0; 512]);
                stream.write_all(reply.as_bytes()).unwrap();
            });
            assert_eq!(answers(addr), expected);
            server.join().unwrap();
        }
    }

    #[test]
    fn an_address_for_everyone_is_opened_on_this_machine() {
        assert_eq!(address("0.0.0.0:8000".parse().unwrap()), "http://127.0.0.1:8000/");
        assert_eq!(address("[::]:8000".parse().unwrap()), "http://[::1]:8000/");
    }
}
