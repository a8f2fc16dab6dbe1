//! A Chromium without a window and the driver that steers it: found, or installed where the system's packages can be.

use crate::project::{command, find, output_of};
use crate::tools::{How, Missing, Need};
use crate::version::find_version;
use std::env;
use std::path::{Path, PathBuf};

const BROWSERS: [&str; 5] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];
const MAC_BROWSERS: [&str; 2] = [
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/// The browser and its driver, of the same major version.
pub struct Browser {
    /// The browser's program.
    pub chromium: PathBuf,
    /// The driver's program.
    pub driver: PathBuf,
}

/// The browser to use, or why there is none.
pub fn browser() -> Result<Browser, String> {
    let chromium = chromium().ok_or("no Chromium or Chrome was found")?;
    let driver = driver().ok_or("no chromedriver was found")?;
    let majors = [&chromium, &driver].map(|program| major(program));
    match majors {
        [Some(browser), Some(of_driver)] if browser == of_driver => Ok(Browser { chromium, driver }),
        [Some(browser), Some(of_driver)] => {
            Err(format!("{} is version {browser} and {} version {of_driver}", chromium.display(), driver.display()))
        }
        _ => Err(format!("{} or {} does not start", chromium.display(), driver.display())),
    }
}

/// What to install, if there is none.
pub fn missing() -> Option<Missing> {
    let why = browser().err()?;
    Some(Missing {
        need: Need::Browser,
        what: format!("headless Chromium and its driver ({why})"),
        takes: "about a minute",
        how: how(&System::here()),
    })
}

fn chromium() -> Option<PathBuf> {
    if let Some(path) = env::var_os("FAULTLINE_CHROMIUM") {
        return Some(path.into());
    }
    let on_mac = || MAC_BROWSERS.iter().map(PathBuf::from).find(|path| path.is_file());
    BROWSERS.iter().find_map(|name| find(name)).or_else(on_mac)
}

fn driver() -> Option<PathBuf> {
    if let Some(path) = env::var_os("FAULTLINE_CHROMEDRIVER").or_else(|| env::var_os("CHROMEDRIVER")) {
        return Some(path.into());
    }
    // Hosted runners keep a driver that fits their Chrome in a folder of its own and name it here.
    let hosted = env::var_os("CHROMEWEBDRIVER").map(|folder| PathBuf::from(folder).join("chromedriver"));
    hosted.filter(|path| path.is_file()).or_else(|| find("chromedriver"))
}

fn major(program: &Path) -> Option<u32> {
    find_version(&output_of(program, &["--version"])?).map(|version| version[0])
}

/// What decides how a browser is installed here.
struct System {
    os: &'static str,
    release: String,
    root: bool,
}

impl System {
    fn here() -> System {
        System {
            os: env::consts::OS,
            release: std::fs::read_to_string("/etc/os-release").unwrap_or_default(),
            root: cfg!(unix) && output_of("id", &["-u"]).as_deref() == Some("0"),
        }
    }

    /// The identifiers a Linux gives itself and its ancestors: `ID=ubuntu`, `ID_LIKE=debian`.
    fn is(&self, name: &str) -> bool {
        self.release
            .lines()
            .filter_map(|line| line.strip_prefix("ID=").or_else(|| line.strip_prefix("ID_LIKE=")))
            .flat_map(|value| value.trim_matches('"').split(' '))
            .any(|word| word == name)
    }
}

fn how(system: &System) -> How {
    let packages = match system {
        _ if system.is("ubuntu") => ["chromium-browser", "chromium-chromedriver"],
        _ if system.is("debian") => ["chromium", "chromium-driver"],
        _ => return How::Say(elsewhere(system).into()),
    };
    if !system.root {
        return How::Say(format!("sudo apt-get install {}", packages.join(" ")));
    }
    let apt = |arguments: &[&str]| {
        let mut apt = command("apt-get");
        apt.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
        apt
    };
    let mut install = apt(&["install", "-y", "-q", "--no-install-recommends", "fonts-dejavu-core"]);
    install.args(packages);
    How::Run(vec![apt(&["update", "-q"]), install])
}

fn elsewhere(system: &System) -> &'static str {
    match system {
        _ if system.is("fedora") => "sudo dnf install chromium chromedriver",
        _ if system.is("arch") => "sudo pacman -S chromium",
        _ if system.is("alpine") => "apk add chromium chromium-chromedriver",
        _ if system.is("suse") => "sudo zypper install chromium chromedriver",
        System { os: "macos", .. } => "brew install --cask google-chrome chromedriver",
        System { os: "windows", .. } => {
            "winget install Google.Chrome, and the chromedriver of the same version on PATH or named by FAULTLINE_CHROMEDRIVER"
        }
        _ => {
            "install Chromium and a chromedriver of the same version, on PATH or named by FAULTLINE_CHROMIUM and FAULTLINE_CHROMEDRIVER"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::steps::shown;

    fn linux(release: &str, root: bool) -> System {
        System { os: "linux", release: release.into(), root }
    }

    #[test]
    fn as_root_on_debian_the_packages_are_installed() {
        let How::Run(commands) = how(&linux("PRETTY_NAME=\"Debian\"\nID=debian\n", true)) else {
            panic!("must install")
        };
        let lines: Vec<String> = commands.iter().map(shown).collect();
        assert_eq!(lines[0], "apt-get update -q");
        assert!(lines[1].ends_with("chromium chromium-driver"), "{}", lines[1]);
    }

    #[test]
    fn without_root_or_elsewhere_the_command_is_said() {
        let said = |system: &System| match how(system) {
            How::Say(sentence) => sentence,
            How::Run(_) => panic!("must not install"),
        };
        let ubuntu = linux("ID=ubuntu\nID_LIKE=debian\n", false);
        assert_eq!(said(&ubuntu), "sudo apt-get install chromium-browser chromium-chromedriver");
        assert_eq!(said(&linux("ID=fedora\n", true)), "sudo dnf install chromium chromedriver");
        assert_eq!(
            said(&linux("ID=\"opensuse-leap\"\nID_LIKE=\"suse opensuse\"\n", true)),
            "sudo zypper install chromium chromedriver"
        );
    }
}
