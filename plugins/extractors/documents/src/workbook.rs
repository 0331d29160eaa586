//! Workbooks of Office: every sheet as rows, values as they were last worked out.

use crate::{cells::Cells, text::Text};
use calamine::{Data, DataRef, ExcelDateTime, Reader, Sheet, SheetVisible, Xls, XlsError, Xlsx, XlsxError};
use deskhand_sdk::{Error, Result};
use std::{fmt::Display, io::Cursor};

pub(crate) fn read(document: &[u8], text: &mut Text) -> Result<()> {
    let mut book: Xlsx<_> = calamine::open_workbook_from_rs(Cursor::new(document)).map_err(|error| match error {
        XlsxError::Password => locked(),
        other => damaged(&other),
    })?;
    for sheet in book.sheets_metadata().to_vec() {
        if text.is_full() {
            break;
        }
        text.mark(&title(&sheet));
        let mut reader = match book.worksheet_cells_reader(&sheet.name) {
            Ok(reader) => reader,
            // a sheet that is a chart has no cells
            Err(XlsxError::NotAWorksheet(_) | XlsxError::WorksheetNotFound(_)) => continue,
            Err(error) => return Err(damaged(&error)),
        };
        let mut cells = Cells::of(text);
        while let Some(cell) = reader.next_cell().map_err(|error| damaged(&error))? {
            let (row, column) = cell.get_position();
            match cell.get_value() {
                DataRef::DateTime(date) => cells.cell(row, column, &date_text(date)),
                DataRef::SharedString(content) => cells.cell(row, column, content),
                other => cells.cell(row, column, &Data::from(other.clone()).to_string()),
            }
            if cells.is_full() {
                break;
            }
        }
        cells.end();
    }
    Ok(())
}

/// The format before 2007.
pub(crate) fn read_old(document: &[u8], text: &mut Text) -> Result<()> {
    let mut book: Xls<_> = calamine::open_workbook_from_rs(Cursor::new(document)).map_err(|error| match error {
        XlsError::Password => locked(),
        other => damaged(&other),
    })?;
    for sheet in book.sheets_metadata().to_vec() {
        if text.is_full() {
            break;
        }
        text.mark(&title(&sheet));
        let Ok(range) = book.worksheet_range(&sheet.name) else { continue };
        let (first_row, first_column) = range.start().unwrap_or_default();
        let mut cells = Cells::of(text);
        for (row, column, value) in range.used_cells() {
            let place = |first: u32, at: usize| first.saturating_add(u32::try_from(at).unwrap_or(u32::MAX));
            let (row, column) = (place(first_row, row), place(first_column, column));
            match value {
                Data::DateTime(date) => cells.cell(row, column, &date_text(date)),
                other => cells.cell(row, column, &other.to_string()),
            }
            if cells.is_full() {
                break;
            }
        }
        cells.end();
    }
    Ok(())
}

fn title(sheet: &Sheet) -> String {
    let hidden = if sheet.visible == SheetVisible::Visible { "" } else { ", hidden" };
    format!("sheet {}{hidden}", sheet.name)
}

/// A day, a time of it, or both, as ISO 8601 writes them.
fn date_text(date: &ExcelDateTime) -> String {
    if date.is_duration() {
        let seconds = (date.as_f64() * 86_400.0).round() as i64;
        let (sign, seconds) = (if seconds < 0 { "-" } else { "" }, seconds.unsigned_abs());
        return format!("{sign}{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    }
    let (year, month, day, hour, minute, second, _) = date.to_ymd_hms_milli();
    let time = format!("{hour:02}:{minute:02}:{second:02}");
    match (date.as_f64(), time.as_str()) {
        // a time without a day
        (value, time) if (0.0..1.0).contains(&value) => time.to_owned(),
        (_, "00:00:00") => format!("{year:04}-{month:02}-{day:02}"),
        (_, time) => format!("{year:04}-{month:02}-{day:02} {time}"),
    }
}

fn locked() -> Error {
    Error::unsupported("the workbook is locked with a password; open it, and save it without one")
}

fn damaged(error: &dyn Display) -> Error {
    Error::invalid(format!("the workbook is damaged ({error})"))
}
