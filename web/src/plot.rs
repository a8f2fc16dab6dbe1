//! Draws a chart's lines on any plotters back end. Axis text is HTML around the canvas: sharp, and read by everyone.
//!
//! The back end counts whole device pixels and knows no pixel ratio, so everything is drawn `ratio` times as large on a
//! surface that is `ratio` times as large.

use crate::palette::{Palette, Token};
use crate::view_model::charts::{Chart, Points, SHADES, seconds, shade};
use plotters::coord::cartesian::Cartesian2d;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;

type Area<DB> = DrawingArea<DB, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

/// Draws the chart over the whole surface. `dash` sets the pattern of the lines that follow, in device pixels: plotters has
/// no dashes of its own that keep their length along a curve.
pub fn draw<DB: DrawingBackend>(
    root: &DrawingArea<DB, plotters::coord::Shift>,
    chart: &Chart,
    palette: &Palette,
    ratio: f64,
    mut dash: impl FnMut(&[f64]),
) -> Result<(), String> {
    let (width, height) = root.dim_in_pixel();
    let (width, height) = (width.max(2) as i32, height.max(2) as i32);
    // Half a stroke of room above and below, so that lines at the rim are not cut.
    let rim = (ratio * 2.0).round() as i32;
    let area = root.apply_coord_spec(Cartesian2d::<RangedCoordf64, RangedCoordf64>::new(
        0.0..chart.end_s,
        0.0..1.0,
        (0..width, height - rim..rim),
    ));
    let fail = |error: DrawingAreaErrorKind<DB::ErrorType>| error.to_string();
    for (from, to) in &chart.faults {
        let corners = [(*from, 0.0), (*to, 1.0)];
        area.draw(&Rectangle::new(corners, palette.color(Token::Fail).mix(0.08).filled())).map_err(fail)?;
    }
    for (value, _) in &chart.scale.ticks {
        line(
            &area,
            &[(0.0, *value), (chart.end_s, *value)],
            chart,
            palette.color(Token::Line).stroke_width(pixels(1.0, ratio)),
        )
        .map_err(fail)?;
    }
    for ghost in &chart.ghost {
        points(&area, ghost, chart, palette.color(Token::Ink3).mix(0.75).stroke_width(pixels(1.0, ratio)))
            .map_err(fail)?;
    }
    if !chart.bands.is_empty() {
        cells(&area, chart, palette).map_err(fail)?;
        return root.present().map_err(fail);
    }
    for series in &chart.series {
        // What never happens is named with its 0 below the chart; a line along the axis would only hide others.
        if series.points.iter().all(|(_, value)| value.is_none_or(|value| value == 0.0)) {
            continue;
        }
        dash(&series.dash.pattern().iter().map(|length| length * ratio).collect::<Vec<f64>>());
        points(&area, &series.points, chart, palette.color(series.ink).stroke_width(pixels(2.0, ratio)))
            .map_err(fail)?;
    }
    dash(&[]);
    root.present().map_err(fail)
}

fn pixels(css: f64, ratio: f64) -> u32 {
    (css * ratio).round().max(1.0) as u32
}

/// A map's cells: the more there is, the stronger the colour and the higher the cell, so that shades are not all there is.
fn cells<DB: DrawingBackend>(
    area: &Area<DB>,
    chart: &Chart,
    palette: &Palette,
) -> Result<(), DrawingAreaErrorKind<DB::ErrorType>> {
    let most = chart.most();
    for (row, (low, high)) in chart.series.iter().zip(&chart.bands) {
        let (bottom, top) = (chart.scale.position(*low), chart.scale.position(*high));
        for (at, count) in seconds(&row.points).filter(|(_, count)| *count > 0.0) {
            let shade = shade(count, most);
            let height = (top - bottom) * (shade + 4) as f64 / (SHADES + 3) as f64;
            let corners = [(at - 0.5, bottom), (at + 0.5, bottom + height)];
            area.draw(&Rectangle::new(corners, palette.color(Token::HEAT[shade]).filled()))?;
        }
    }
    Ok(())
}

/// A line with gaps where there is no value.
fn points<DB: DrawingBackend>(
    area: &Area<DB>,
    points: &Points,
    chart: &Chart,
    style: ShapeStyle,
) -> Result<(), DrawingAreaErrorKind<DB::ErrorType>> {
    for piece in points.split(|(_, value)| value.is_none()) {
        let piece: Vec<(f64, f64)> = piece.iter().filter_map(|(at, value)| Some((*at, (*value)?))).collect();
        match piece[..] {
            [] => {}
            // A lone second is a short line: a point would not be seen.
            [(at, value)] => line(area, &[(at - 0.5, value), (at + 0.5, value)], chart, style)?,
            _ => line(area, &piece, chart, style)?,
        }
    }
    Ok(())
}

fn line<DB: DrawingBackend>(
    area: &Area<DB>,
    values: &[(f64, f64)],
    chart: &Chart,
    style: ShapeStyle,
) -> Result<(), DrawingAreaErrorKind<DB::ErrorType>> {
    let path: Vec<(f64, f64)> = values.iter().map(|(at, value)| (*at, chart.scale.position(*value))).collect();
    area.draw(&PathElement::new(path, style))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view_model::charts::{Dash, Scale, Series};
    use plotters_backend::{BackendColor, BackendCoord, BackendStyle, DrawingErrorKind};
    use std::cell::RefCell;
    use std::rc::Rc;

    type Paths = Rc<RefCell<Vec<(Vec<BackendCoord>, u32)>>>;

    /// A surface of 200 by 100 that remembers the paths drawn on it.
    struct Recorder(Paths);

    impl DrawingBackend for Recorder {
        type ErrorType = std::io::Error;
        fn get_size(&self) -> (u32, u32) {
            (200, 100)
        }
        fn ensure_prepared(&mut self) -> Result<(), DrawingErrorKind<std::io::Error>> {
            Ok(())
        }
        fn present(&mut self) -> Result<(), DrawingErrorKind<std::io::Error>> {
            Ok(())
        }
        fn draw_pixel(&mut self, _: BackendCoord, _: BackendColor) -> Result<(), DrawingErrorKind<std::io::Error>> {
            Ok(())
        }
        fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
            &mut self,
            path: I,
            style: &S,
        ) -> Result<(), DrawingErrorKind<std::io::Error>> {
            self.0.borrow_mut().push((path.into_iter().collect(), style.stroke_width()));
            Ok(())
        }
    }

    #[test]
    fn values_land_where_the_scale_says_and_gaps_stay_gaps() {
        let paths = Paths::default();
        let chart = Chart {
            id: "rate",
            title: "Answers per second".to_string(),
            end_s: 4.0,
            scale: Scale::linear(100.0),
            faults: vec![],
            series: vec![Series {
                label: "fresh",
                ink: Token::Ok,
                dash: Dash::Dashed,
                points: vec![(0.5, Some(0.0)), (1.5, Some(100.0)), (2.5, None), (3.5, Some(50.0))],
            }],
            ghost: vec![],
            finding: String::new(),
            bands: vec![],
            map: None,
        };
        let mut dashes = Vec::new();
        let root = Recorder(paths.clone()).into_drawing_area();
        draw(&root, &chart, &Palette::default(), 2.0, |pattern| dashes.push(pattern.to_vec())).unwrap();
        let drawn = paths.borrow();
        let series: Vec<_> = drawn.iter().filter(|(_, width)| *width == 4).collect();
        assert_eq!(series.len(), 2, "{drawn:?}");
        assert_eq!(series[0].0, vec![(25, 96), (75, 4)]);
        assert_eq!(dashes[0], vec![12.0, 8.0]);
    }
}
