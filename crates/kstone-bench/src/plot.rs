//! The picture of a run: for each workload the systems' medians as bars, and with several sizes their growth as lines.

use std::path::Path;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::args::Plan;
use crate::peers::System;
use crate::report::thousands;
use crate::results::Results;
use crate::store::Result;
use crate::workload::Workload;

/// The workloads that are drawn.
const DRAWN: [Workload; 16] = [
    Workload::Load,
    Workload::Get,
    Workload::Absent,
    Workload::Overwrite,
    Workload::Mix,
    Workload::MixThreads,
    Workload::Delete,
    Workload::Query10,
    Workload::Last,
    Workload::Query1000,
    Workload::Scan,
    Workload::Memory,
    Workload::Filter,
    Workload::Update,
    Workload::Transact,
    Workload::Fork,
];
/// Those whose growth is drawn.
const GROWN: [Workload; 8] = [
    Workload::Load,
    Workload::Get,
    Workload::Absent,
    Workload::Overwrite,
    Workload::Query10,
    Workload::MixThreads,
    Workload::Memory,
    Workload::Fork,
];
const COLUMNS: usize = 4;
const PANEL: (u32, u32) = (400, 300);
const TITLE_HEIGHT: u32 = 40;
const FONT: &str = "sans-serif";

/// Writes the picture as SVG.
pub(crate) fn draw(path: &Path, plan: &Plan, results: &Results) -> Result<()> {
    let largest = plan.records.iter().copied().max().ok_or("there is a size")?;
    let bars = drawn(&DRAWN, &[largest], plan, results);
    let lines = if plan.records.len() > 1 { drawn(&GROWN, &plan.records, plan, results) } else { Vec::new() };
    if bars.is_empty() {
        return Err("there is nothing to draw: no workload of the plot was measured".into());
    }
    let rows = bars.len().div_ceil(COLUMNS) + lines.len().div_ceil(COLUMNS);
    let size = (PANEL.0 * COLUMNS as u32, PANEL.1 * rows as u32 + TITLE_HEIGHT);
    let root = SVGBackend::new(path, size).into_drawing_area();
    root.fill(&WHITE)?;
    let title = format!("kstone through its C ABI and its peers, {} records; less is better", thousands(largest));
    let panels = root.titled(&title, (FONT, 22))?.split_evenly((rows, COLUMNS));
    let (above, below) = panels.split_at(bars.len().next_multiple_of(COLUMNS));
    for (panel, &workload) in above.iter().zip(&bars) {
        draw_bars(panel, workload, largest, plan, results)?;
    }
    for (panel, &workload) in below.iter().zip(&lines) {
        draw_growth(panel, workload, plan, results)?;
    }
    root.present()?;
    Ok(())
}

/// Those of the workloads that were measured at one of the sizes.
fn drawn(workloads: &[Workload], sizes: &[usize], plan: &Plan, results: &Results) -> Vec<Workload> {
    let at = |workload, records| plan.systems.iter().any(|&system| results.median(records, workload, system).is_some());
    let measured = |workload| sizes.iter().any(|&records| at(workload, records));
    workloads.iter().copied().filter(|&workload| measured(workload)).collect()
}

/// A bar for each system from 0, a thin line from the least to the greatest round. The scale ends at a few times
/// kstone's own number, so that the near peers can be told apart; a longer bar is cut and carries its number.
fn draw_bars(
    panel: &DrawingArea<SVGBackend<'_>, Shift>,
    workload: Workload,
    records: usize,
    plan: &Plan,
    results: &Results,
) -> Result<()> {
    let rows: Vec<_> = plan
        .systems
        .iter()
        .filter_map(|&system| results.summary(records, workload, system).map(|summary| (system, summary)))
        .collect();
    let greatest = rows.iter().map(|row| row.1.median).fold(0.0, f64::max);
    let kstone = results.median(records, workload, System::Kstone).unwrap_or(greatest);
    let end = (greatest * 1.25).min(kstone * 6.0).max(f64::MIN_POSITIVE);
    let mut chart = ChartBuilder::on(panel)
        .margin(8)
        .caption(format!("{}, {}", workload.name(), workload.unit().name()), (FONT, 16))
        .x_label_area_size(22)
        .y_label_area_size(72)
        .build_cartesian_2d(0.0..end, (0..rows.len() - 1).into_segmented())?;
    let name = |place: &SegmentValue<usize>| match place {
        SegmentValue::CenterOf(i) => rows.get(rows.len().wrapping_sub(i + 1)).map_or("", |row| row.0.name()).to_owned(),
        _ => String::new(),
    };
    chart
        .configure_mesh()
        .disable_y_mesh()
        .light_line_style(TRANSPARENT)
        .x_labels(5)
        .x_label_formatter(&|value| thousands(value.round() as usize))
        .y_labels(rows.len().max(2))
        .y_label_formatter(&name)
        .label_style((FONT, 12))
        .draw()?;
    let number = TextStyle::from((FONT, 12).into_font()).pos(Pos::new(HPos::Left, VPos::Center));
    // The first system at the top.
    for (i, (system, summary)) in rows.iter().rev().enumerate() {
        let shown = summary.median.min(end);
        let mut bar = Rectangle::new(
            [(0.0, SegmentValue::Exact(i)), (shown, SegmentValue::Exact(i + 1))],
            color(*system).filled(),
        );
        bar.set_margin(3, 3, 0, 0);
        chart.draw_series(std::iter::once(bar))?;
        let spread = [summary.min.min(end), summary.max.min(end)].map(|x| (x, SegmentValue::CenterOf(i)));
        chart.draw_series(LineSeries::new(spread, &BLACK))?;
        let label = if summary.median < 100.0 {
            format!(" {:.1}", summary.median)
        } else {
            format!(" {}", thousands(summary.median.round() as usize))
        };
        let at = if shown > end * 0.85 { end * 0.82 } else { summary.max.min(end * 0.85) };
        let text = Text::new(label, (at, SegmentValue::CenterOf(i)), number.clone());
        chart.draw_series(std::iter::once(text))?;
    }
    Ok(())
}

/// A line for each system over the number of records, both axes logarithmic.
fn draw_growth(
    panel: &DrawingArea<SVGBackend<'_>, Shift>,
    workload: Workload,
    plan: &Plan,
    results: &Results,
) -> Result<()> {
    let mut sizes = plan.records.clone();
    sizes.sort_unstable();
    let line_of = |system: System| {
        let point = |&records: &usize| Some((records as f64, results.median(records, workload, system)?));
        sizes.iter().filter_map(point).collect::<Vec<(f64, f64)>>()
    };
    let lines: Vec<_> = plan.systems.iter().map(|&system| (system, line_of(system))).collect();
    let values = || lines.iter().flat_map(|line| line.1.iter().map(|point| point.1));
    let (least, greatest) = values().fold((f64::MAX, f64::MIN_POSITIVE), |(a, b), v| (a.min(v), b.max(v)));
    let (first, last) = (sizes[0] as f64, sizes[sizes.len() - 1] as f64);
    let mut chart = ChartBuilder::on(panel)
        .margin(8)
        .caption(format!("{}, {}, with the records", workload.name(), workload.unit().name()), (FONT, 16))
        .x_label_area_size(22)
        .y_label_area_size(52)
        .build_cartesian_2d((first..last).log_scale(), (least * 0.8..greatest * 1.2).log_scale())?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .x_label_formatter(&|value| thousands(value.round() as usize))
        .y_label_formatter(&|value| thousands(value.round() as usize))
        .x_labels(4)
        .label_style((FONT, 12))
        .draw()?;
    for (system, points) in lines.into_iter().filter(|line| !line.1.is_empty()) {
        let style = color(system).stroke_width(if system == System::Kstone { 3 } else { 1 });
        chart
            .draw_series(LineSeries::new(points, style).point_size(3))?
            .label(system.name())
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 12, y)], style));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE.mix(0.8))
        .label_font((FONT, 10))
        .draw()?;
    Ok(())
}

/// kstone stands out; ordered peers are blue and green, maps grey.
fn color(system: System) -> RGBColor {
    match system {
        System::Kstone => RGBColor(214, 80, 40),
        System::DashFixed => RGBColor(110, 110, 110),
        System::DashBoxed => RGBColor(170, 170, 170),
        System::Papaya => RGBColor(170, 170, 170),
        System::Blart => RGBColor(40, 140, 120),
        System::BTreeMap => RGBColor(120, 180, 90),
        System::Lmdb => RGBColor(50, 90, 170),
        System::Sqlite => RGBColor(90, 150, 220),
        System::Redb => RGBColor(130, 110, 190),
        System::RocksDb => RGBColor(190, 160, 60),
        System::SerdeJson => RGBColor(150, 120, 100),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::tests::results;

    #[test]
    fn a_picture_names_its_workloads_and_systems() {
        let directory = tempfile::tempdir().expect("there is room for a file");
        let path = directory.path().join("plot.svg");
        let plan = Plan { records: vec![1_000], ..Plan::default() };
        let values = [(Workload::Get, System::Kstone, 50.0), (Workload::Get, System::Redb, 5_000.0)];
        draw(&path, &plan, &results(1_000, &values)).expect("there is something to draw");
        let svg = std::fs::read_to_string(&path).expect("it was written");
        assert!(svg.contains("get, ns/op") && svg.contains("redb") && svg.contains("5,000"));
    }

    #[test]
    fn nothing_to_draw_is_an_error() {
        let directory = tempfile::tempdir().expect("there is room for a file");
        let plan = Plan::default();
        assert!(draw(&directory.path().join("plot.svg"), &plan, &results(1_000, &[])).is_err());
    }
}
