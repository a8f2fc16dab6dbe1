//! Draws the still of each lesson into a built site, `lesson/ID/still.png`: what pages that quote a lesson's address show of it.

use anyhow::{Context, Result, anyhow, bail};
use resvg::{tiny_skia, usvg};
use std::path::PathBuf;
use web::pages::still::{SIZE, still};
use yew::prelude::*;

/// Pixels for a unit of the drawing.
const SCALE: f64 = 2.0;

#[derive(Clone, PartialEq, Properties)]
struct DrawnProps {
    lesson: &'static str,
}

/// Yew writes components, not elements.
#[component]
fn Drawn(props: &DrawnProps) -> Html {
    still(props.lesson).unwrap_or_default()
}

fn main() -> Result<()> {
    let Some(site) = std::env::args_os().nth(1).map(PathBuf::from) else { bail!("usage: stills FOLDER") };
    let mut options = usvg::Options::default();
    // The same letters on every machine.
    let fonts = options.fontdb_mut();
    for font in [notosans::REGULAR_TTF, notosans::BOLD_TTF] {
        fonts.load_font_data(font.to_vec());
    }
    options.font_family = "Noto Sans".into();
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    for (id, ..) in lessons::LESSONS {
        let _ = still(id).map_err(|problems| anyhow!("{id}: {problems:?}"))?;
        let drawn = yew::LocalServerRenderer::<Drawn>::with_props(DrawnProps { lesson: id }).hydratable(false);
        let svg = runtime.block_on(drawn.render());
        let png = picture(&svg, &options).with_context(|| format!("the still of {id}: {svg}"))?;
        let folder = site.join("lesson").join(id);
        std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        std::fs::write(folder.join("still.png"), &png)?;
        println!("lesson/{id}/still.png: {} bytes", png.len());
    }
    Ok(())
}

fn picture(svg: &str, options: &usvg::Options) -> Result<Vec<u8>> {
    let tree = usvg::Tree::from_str(svg, options)?;
    let size = [SIZE.0, SIZE.1].map(|length| (length * SCALE) as u32);
    let mut pixels = tiny_skia::Pixmap::new(size[0], size[1]).context("a picture has a size")?;
    resvg::render(&tree, tiny_skia::Transform::from_scale(SCALE as f32, SCALE as f32), &mut pixels.as_mut());
    Ok(pixels.encode_png()?)
}
