//! A real Chromium, driven by the chromedriver beside it, and what every page must do in it.

use anyhow::{Context, Result, bail, ensure};
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use testnet::nodes::Node;
use thirtyfour::LoggingPrefsLogLevel;
use thirtyfour::prelude::*;

/// A phone's width in CSS pixels.
const PHONE: u32 = 390;
/// A small laptop's width.
const DESKTOP: u32 = 1280;
/// How many presses of the tab key may lead to the main action of a page.
const TABS: usize = 60;
/// How often a page is looked at before what it should say is missed.
const TRIES: usize = 100;
/// How long to wait between two looks.
const PAUSE: Duration = Duration::from_millis(100);

/// The chromedriver that this test started, in a process group of its own: with this value it ends,
/// and every browser that it started ends with it.
struct Driver {
    child: Child,
    url: String,
    // Where the browsers keep their profiles.
    _folder: tempfile::TempDir,
}

impl Driver {
    fn start() -> Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("commonturf-browser-")
            .tempdir()?;
        let mut child = Command::new("chromedriver")
            .arg("--port=0")
            .env("TMPDIR", folder.path())
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("chromedriver is not installed: apt-get install chromium chromium-driver")?;
        let out = child.stdout.take().context("chromedriver has no output")?;
        for line in BufReader::new(out).lines() {
            let line = line?;
            let port = line.split(" on port ").nth(1);
            if let Some(port) = port.filter(|_| line.contains("started successfully")) {
                let url = format!("http://127.0.0.1:{}", port.trim_end_matches('.').trim());
                return Ok(Self {
                    child,
                    url,
                    _folder: folder,
                });
            }
        }
        drop(child.kill());
        bail!("chromedriver did not start")
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // The shell's own `kill`: the program of that name is not installed everywhere.
        let group = self.child.id().to_string();
        let script = ["-c", "kill -s KILL -- \"-$1\"", "sh", &group];
        drop(
            Command::new("sh")
                .args(script)
                .stderr(Stdio::null())
                .status(),
        );
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A browser window on the desk of one node.
pub(super) struct Browser {
    pub(super) window: WebDriver,
    desk: String,
    _driver: Driver,
}

impl Browser {
    /// Opens a window; nobody is signed in.
    pub(super) async fn open(node: &Node) -> Result<Self> {
        // Without a provider, building any client panics.
        drop(rustls::crypto::ring::default_provider().install_default());
        let driver = Driver::start()?;
        let mut wish = DesiredCapabilities::chrome();
        for flag in [
            "--headless=new",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--no-first-run",
            "--hide-scrollbars",
            "--window-size=1280,900",
        ] {
            wish.add_arg(flag)?;
        }
        if testnet::setup::is_root() {
            wish.add_arg("--no-sandbox")?;
        }
        wish.set_browser_log_level(LoggingPrefsLogLevel::All)?;
        let window = WebDriver::new(&driver.url, wish).await?;
        Ok(Self {
            window,
            desk: node.desk(),
            _driver: driver,
        })
    }

    /// Opens a window and signs in by a new one-time link.
    pub(super) async fn signed_in(node: &Node) -> Result<Self> {
        let browser = Self::open(node).await?;
        browser.window.goto(link(node).await?).await?;
        browser.press("button[type=submit]").await?;
        browser.arrives("/").await?;
        Ok(browser)
    }

    /// Presses a button or link, after scrolling to it as a person would.
    pub(super) async fn press(&self, selector: &str) -> Result<()> {
        let element = self.window.find(By::Css(selector)).await;
        let element = element.with_context(|| format!("there is no {selector}"))?;
        let script = "arguments[0].scrollIntoView({ block: 'center' })";
        self.window
            .execute(script, vec![element.to_json()?])
            .await?;
        element.click().await?;
        Ok(())
    }

    /// Types into a field of a form, or chooses a file there.
    pub(super) async fn fill(&self, selector: &str, text: &str) -> Result<()> {
        let element = self.window.find(By::Css(selector)).await?;
        element.send_keys(text).await?;
        Ok(())
    }

    /// Goes to a page of the desk.
    pub(super) async fn goto(&self, path: &str) -> Result<()> {
        self.window.goto(format!("{}{path}", self.desk)).await?;
        Ok(())
    }

    /// The path of the page that is shown.
    pub(super) async fn path(&self) -> Result<String> {
        Ok(self.window.current_url().await?.path().to_owned())
    }

    /// What was pressed leads to a page: a press does not wait for it.
    pub(super) async fn arrives(&self, path: &str) -> Result<()> {
        for _ in 0..TRIES {
            if self.path().await? == path {
                return Ok(());
            }
            tokio::time::sleep(PAUSE).await;
        }
        bail!("{path} does not come; this is {}", self.path().await?)
    }

    /// The text of the page's main part.
    pub(super) async fn text(&self) -> Result<String> {
        Ok(self.window.find(By::Css("main")).await?.text().await?)
    }

    /// The page's main part says something, at once or when what is loading has come.
    pub(super) async fn says(&self, words: &str) -> Result<()> {
        let mut text = String::new();
        for _ in 0..TRIES {
            // While a page goes and another comes there may be no main part.
            text = self.text().await.unwrap_or_default();
            if text.contains(words) {
                return Ok(());
            }
            tokio::time::sleep(PAUSE).await;
        }
        bail!("{words:?} is not on the page:\n{text}")
    }

    /// Reads the page anew until it says something.
    pub(super) async fn waits_for(&self, words: &str) -> Result<()> {
        for _ in 0..TRIES {
            if self.text().await.is_ok_and(|text| text.contains(words)) {
                return Ok(());
            }
            tokio::time::sleep(PAUSE).await;
            self.window.refresh().await?;
        }
        self.says(words).await
    }

    /// Everything that holds for every page, at a phone's width and a laptop's; keeps a picture of
    /// both below the target folder.
    pub(super) async fn is_sound(
        &self,
        name: &str,
        heading: &str,
        main_action: &str,
    ) -> Result<()> {
        for (device, width) in [("phone", PHONE), ("desktop", DESKTOP)] {
            self.resize(width, 844).await?;
            self.window.refresh().await?;
            let found = self.window.find(By::Css("h1")).await?.text().await?;
            ensure!(found == heading, "{name}: the heading is {found:?}");
            self.fits(name, width).await?;
            self.loads_nothing_foreign(name).await?;
            self.reaches(name, main_action).await?;
            self.picture(&format!("{name}-{device}"), width).await?;
        }
        self.no_errors(name).await
    }

    async fn resize(&self, width: u32, height: u32) -> Result<()> {
        let emulation = self.window.cdp();
        emulation
            .emulation()
            .set_device_metrics_override(width, height, 1.0, width < 600)
            .await?;
        Ok(())
    }

    /// No part of the page lies outside the window's width, and no text is pressed into a column of
    /// letters.
    async fn fits(&self, name: &str, width: u32) -> Result<()> {
        let wide = self
            .number(
                "return Math.max(document.documentElement.scrollWidth, document.body.scrollWidth)",
            )
            .await?;
        ensure!(
            wide <= u64::from(width),
            "{name}: the page is {wide} pixels wide where {width} are there"
        );
        let script = "return [...document.querySelectorAll('dt, dd, td, th, p, li, h1, h2')]
            .filter(each => each.offsetHeight > 100 && each.offsetWidth < 80).length";
        let pressed = self.number(script).await?;
        ensure!(
            pressed == 0,
            "{name}: {pressed} texts have no room at {width} pixels"
        );
        Ok(())
    }

    async fn loads_nothing_foreign(&self, name: &str) -> Result<()> {
        let foreign = self
            .window
            .execute(
                "return performance.getEntries().map(entry => entry.name)
                   .filter(name => /^[a-z]+:/.test(name) && !name.startsWith(location.origin + '/'))",
                Vec::new(),
            )
            .await?;
        let foreign: Vec<String> = foreign.convert()?;
        ensure!(foreign.is_empty(), "{name}: loads {foreign:?}");
        let loaded = self
            .number("return performance.getEntriesByType('resource').length")
            .await?;
        ensure!(
            loaded >= 3,
            "{name}: style sheet and scripts were not loaded"
        );
        Ok(())
    }

    /// The tab key leads to the main action, and the browser shows where it is.
    async fn reaches(&self, name: &str, selector: &str) -> Result<()> {
        self.window
            .execute("document.activeElement.blur(); scrollTo(0, 0)", Vec::new())
            .await?;
        for _ in 0..TABS {
            self.window
                .action_chain()
                .send_keys(Key::Tab + "")
                .perform()
                .await?;
            let script = "return document.activeElement.matches(arguments[0])
                && getComputedStyle(document.activeElement).outlineStyle !== 'none'";
            let here = self
                .window
                .execute(script, vec![serde_json::json!(selector)])
                .await?;
            if here.json().as_bool() == Some(true) {
                return Ok(());
            }
        }
        bail!("{name}: {TABS} presses of the tab key do not lead to {selector}")
    }

    async fn picture(&self, name: &str, width: u32) -> Result<()> {
        let height = self
            .number("return document.documentElement.scrollHeight")
            .await?;
        self.resize(width, u32::try_from(height)?.clamp(844, 4_000))
            .await?;
        self.window
            .execute("document.activeElement.blur()", Vec::new())
            .await?;
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
        std::fs::create_dir_all(&folder)?;
        self.window
            .screenshot(&folder.join(format!("page-{name}.png")))
            .await?;
        Ok(())
    }

    /// Nothing went wrong in the page: no script error, nothing that the content policy refused.
    pub(super) async fn no_errors(&self, name: &str) -> Result<()> {
        let log = self.window.browser_log().await?;
        let errors: Vec<_> = log.iter().filter(|line| line.level != "DEBUG").collect();
        ensure!(errors.is_empty(), "{name}: {errors:?}");
        Ok(())
    }

    async fn number(&self, script: &str) -> Result<u64> {
        let answer = self.window.execute(script, Vec::new()).await?;
        let number = answer.json().as_f64().context("no number")?;
        Ok(number.ceil() as u64)
    }

    /// Ends the browser.
    pub(super) async fn close(self) -> Result<()> {
        Ok(self.window.clone().quit().await?)
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // A test that failed has not closed its window. It ends with its driver; without this, it
        // would be asked to close and waited for.
        drop(self.window.clone().leak());
    }
}

/// A new one-time link to a node's desk.
pub(super) async fn link(node: &Node) -> Result<String> {
    let answer = node.run(&["desk-link"]).await?;
    Ok(answer["url"].as_str().context("no link")?.to_owned())
}
