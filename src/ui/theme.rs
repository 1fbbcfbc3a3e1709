//! How does everything look? The one file that names a colour, a font or a distance.
//!
//! The palette for data is that of Okabe and Ito (safe for the colour-blind); every colour goes with a sign.

use std::sync::Arc;

use eframe::egui::{
    self, Color32, CornerRadius, FontData, FontDefinitions, FontFamily, FontId, Stroke, TextStyle, Vec2,
};

use crate::model::{ChangeKind, Verdict};

/// Distance between things that belong together.
pub const GAP: f32 = 6.0;
/// Distance between groups.
pub const SECTION_GAP: f32 = 14.0;
/// Height of a row in lists.
pub const ROW_HEIGHT: f32 = 26.0;
/// Corner radius of cards and buttons.
pub const RADIUS: u8 = 6;

/// Icons: code points of the Phosphor font.
#[allow(missing_docs)]
pub mod icon {
    /// Phosphor `folder-open`.
    pub const FOLDER_OPEN: &str = "\u{e256}";
    /// Phosphor `file-plus`.
    pub const FILE_PLUS: &str = "\u{e236}";
    /// Phosphor `git-diff`.
    pub const GIT_DIFF: &str = "\u{e27c}";
    /// Phosphor `git-pull-request`.
    pub const GIT_PULL_REQUEST: &str = "\u{e282}";
    /// Phosphor `shield-check`.
    pub const SHIELD_CHECK: &str = "\u{e40c}";
    /// Phosphor `magnifying-glass`.
    pub const MAGNIFYING_GLASS: &str = "\u{e30c}";
    /// Phosphor `x`.
    pub const X: &str = "\u{e4f6}";
    /// Phosphor `x-circle`.
    pub const X_CIRCLE: &str = "\u{e4f8}";
    /// Phosphor `export`.
    pub const EXPORT: &str = "\u{eaf0}";
    /// Phosphor `sun`.
    pub const SUN: &str = "\u{e472}";
    /// Phosphor `moon`.
    pub const MOON: &str = "\u{e330}";
    /// Phosphor `squares-four`.
    pub const SQUARES_FOUR: &str = "\u{e464}";
    /// Phosphor `columns`.
    pub const COLUMNS: &str = "\u{e546}";
    /// Phosphor `chart-bar`.
    pub const CHART_BAR: &str = "\u{e150}";
    /// Phosphor `images`.
    pub const IMAGES: &str = "\u{e836}";
    /// Phosphor `warning`.
    pub const WARNING: &str = "\u{e4e0}";
    /// Phosphor `tag`.
    pub const TAG: &str = "\u{e478}";
    /// Phosphor `copy`.
    pub const COPY: &str = "\u{e1ca}";
    /// Phosphor `plus-circle`.
    pub const PLUS_CIRCLE: &str = "\u{e3d6}";
    /// Phosphor `minus-circle`.
    pub const MINUS_CIRCLE: &str = "\u{e32c}";
    /// Phosphor `arrows-left-right`.
    pub const ARROWS_LEFT_RIGHT: &str = "\u{e0a0}";
    /// Phosphor `pencil-simple`.
    pub const PENCIL_SIMPLE: &str = "\u{e3b4}";
    /// Phosphor `copy-simple`.
    pub const COPY_SIMPLE: &str = "\u{e1cc}";
    /// Phosphor `arrow-clockwise`.
    pub const ARROW_CLOCKWISE: &str = "\u{e036}";
    /// Phosphor `arrow-right`.
    pub const ARROW_RIGHT: &str = "\u{e06c}";
    /// Phosphor `text-aa`.
    pub const TEXT_AA: &str = "\u{e6ee}";
    /// Phosphor `check`.
    pub const CHECK: &str = "\u{e182}";
    /// Phosphor `check-circle`.
    pub const CHECK_CIRCLE: &str = "\u{e184}";
    /// Phosphor `trash`.
    pub const TRASH: &str = "\u{e4a6}";
    /// Phosphor `arrow-u-up-left`.
    pub const ARROW_U_UP_LEFT: &str = "\u{e08a}";
    /// Phosphor `question-mark`.
    pub const QUESTION_MARK: &str = "\u{e3e9}";
    /// Phosphor `clock-counter-clockwise`.
    pub const CLOCK_COUNTER_CLOCKWISE: &str = "\u{e1a0}";
    /// Phosphor `eye`.
    pub const EYE: &str = "\u{e220}";
    /// Phosphor `swap`.
    pub const SWAP: &str = "\u{e83c}";
    /// Phosphor `sparkle`.
    pub const SPARKLE: &str = "\u{e6a2}";
    /// Phosphor `list-checks`.
    pub const LIST_CHECKS: &str = "\u{eadc}";
    /// Phosphor `floppy-disk`.
    pub const FLOPPY_DISK: &str = "\u{e248}";
    /// Phosphor `lock`.
    pub const LOCK: &str = "\u{e2fa}";
    /// Phosphor `user`.
    pub const USER: &str = "\u{e4c2}";
    /// Phosphor `keyboard`.
    pub const KEYBOARD: &str = "\u{e2d8}";
    /// Phosphor `arrow-counter-clockwise`.
    pub const ARROW_COUNTER_CLOCKWISE: &str = "\u{e038}";
    /// Phosphor `bird`.
    pub const BIRD: &str = "\u{e72c}";
    /// Phosphor `stack`.
    pub const STACK: &str = "\u{e466}";
    /// Phosphor `corners-out`.
    pub const CORNERS_OUT: &str = "\u{e1d0}";
    /// Phosphor `corners-in`.
    pub const CORNERS_IN: &str = "\u{e1ce}";
    /// Phosphor `hourglass`.
    pub const HOURGLASS: &str = "\u{e2b2}";
    /// Phosphor `play`.
    pub const PLAY: &str = "\u{e3d0}";
    /// Phosphor `note-pencil`.
    pub const NOTE_PENCIL: &str = "\u{e34c}";
    /// Phosphor `funnel`.
    pub const FUNNEL: &str = "\u{e266}";
    /// Phosphor `arrow-square-out`.
    pub const ARROW_SQUARE_OUT: &str = "\u{e5de}";
    /// Phosphor `equals`.
    pub const EQUALS: &str = "\u{e21c}";
    /// Phosphor `film-strip`.
    pub const FILM_STRIP: &str = "\u{e792}";
    /// Phosphor `split-horizontal`.
    pub const SPLIT_HORIZONTAL: &str = "\u{e872}";
    /// Phosphor `chart-scatter`.
    pub const CHART_SCATTER: &str = "\u{eaac}";
    /// Phosphor `lasso`.
    pub const LASSO: &str = "\u{edc6}";
    /// Phosphor `dots-three`.
    pub const DOTS_THREE: &str = "\u{e1fe}";
    /// Phosphor `scales`.
    pub const SCALES: &str = "\u{e750}";
    /// Phosphor `star`.
    pub const STAR: &str = "\u{e46a}";
    /// Phosphor `prohibit`.
    pub const PROHIBIT: &str = "\u{e3de}";
    /// Phosphor `pause`.
    pub const PAUSE: &str = "\u{e39e}";
    /// Phosphor `users`.
    pub const USERS: &str = "\u{e4d6}";
    /// Phosphor `eye-slash`.
    pub const EYE_SLASH: &str = "\u{e224}";
    /// Phosphor `plus`.
    pub const PLUS: &str = "\u{e3d4}";
    /// Phosphor `minus`.
    pub const MINUS: &str = "\u{e32a}";
    /// Phosphor `caret-down`.
    pub const CARET_DOWN: &str = "\u{e136}";
    /// Phosphor `caret-left`.
    pub const CARET_LEFT: &str = "\u{e138}";
    /// Phosphor `circle-half`.
    pub const CIRCLE_HALF: &str = "\u{e18c}";
}

/// Colours of one theme. Text colours reach a contrast of 4.5 : 1 on `panel`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Palette {
    /// Behind the gallery.
    pub background: Color32,
    /// Side panels and bars.
    pub panel: Color32,
    /// Cards, inputs.
    pub card: Color32,
    /// Hovered cards and rows.
    pub card_hovered: Color32,
    /// Lines between things.
    pub line: Color32,
    /// Normal text.
    pub text: Color32,
    /// Text that may be overlooked.
    pub text_weak: Color32,
    /// Headings.
    pub text_strong: Color32,
    /// What is selected or can be pressed.
    pub accent: Color32,
    /// Behind what is selected.
    pub accent_soft: Color32,
    /// Text on `accent`.
    pub on_accent: Color32,
    /// Something deserves a look.
    pub warning: Color32,
    /// Something failed, or is to go.
    pub danger: Color32,
    /// All is well.
    pub good: Color32,
    /// The base in plots.
    pub base: Color32,
    /// The contribution in plots.
    pub contribution: Color32,
    /// Under signs drawn on pictures.
    pub scrim: Color32,
    /// Signs drawn on pictures.
    pub on_scrim: Color32,
}

const fn gray(value: u8) -> Color32 {
    Color32::from_gray(value)
}

#[expect(clippy::disallowed_methods, reason = "the one place that names colours")]
const fn rgb(r: u8, g: u8, b: u8) -> Color32 {
    Color32::from_rgb(r, g, b)
}

const DARK: Palette = Palette {
    background: rgb(20, 22, 26),
    panel: rgb(27, 30, 36),
    card: rgb(36, 40, 48),
    card_hovered: rgb(46, 51, 61),
    line: rgb(50, 55, 66),
    text: rgb(214, 218, 226),
    text_weak: rgb(150, 157, 170),
    text_strong: rgb(244, 246, 250),
    accent: rgb(86, 160, 245),
    accent_soft: rgb(38, 58, 86),
    on_accent: rgb(10, 18, 30),
    warning: rgb(240, 180, 60),
    danger: rgb(240, 110, 80),
    good: rgb(60, 190, 140),
    base: rgb(140, 148, 162),
    contribution: rgb(86, 180, 233),
    scrim: Color32::from_black_alpha(170),
    on_scrim: gray(250),
};

const LIGHT: Palette = Palette {
    background: rgb(243, 244, 247),
    panel: rgb(252, 252, 253),
    card: rgb(255, 255, 255),
    card_hovered: rgb(236, 240, 247),
    line: rgb(221, 225, 232),
    text: rgb(45, 51, 63),
    text_weak: rgb(98, 106, 121),
    text_strong: rgb(16, 20, 28),
    accent: rgb(22, 98, 200),
    accent_soft: rgb(218, 231, 251),
    on_accent: rgb(255, 255, 255),
    warning: rgb(154, 98, 0),
    danger: rgb(190, 58, 22),
    good: rgb(0, 120, 84),
    base: rgb(130, 138, 152),
    contribution: rgb(0, 114, 178),
    scrim: Color32::from_black_alpha(165),
    on_scrim: gray(250),
};

/// The colours of the theme that `ui` is drawn in.
#[must_use]
pub fn palette(ui: &egui::Ui) -> &'static Palette {
    if ui.visuals().dark_mode { &DARK } else { &LIGHT }
}

/// The sign, colour and word of a kind of change.
#[must_use]
pub fn change_look(kind: ChangeKind, dark: bool) -> (&'static str, Color32, &'static str) {
    let pick = |on_dark, on_light| if dark { on_dark } else { on_light };
    match kind {
        ChangeKind::Relabelled => {
            (icon::ARROWS_LEFT_RIGHT, pick(rgb(240, 190, 70), rgb(150, 96, 0)), "Relabelled")
        }
        ChangeKind::Edited => (icon::PENCIL_SIMPLE, pick(rgb(222, 140, 185), rgb(160, 60, 115)), "Edited"),
        ChangeKind::Duplicated => {
            (icon::COPY_SIMPLE, pick(rgb(170, 150, 240), rgb(98, 76, 180)), "Duplicated")
        }
        ChangeKind::ReEncoded => {
            (icon::ARROW_CLOCKWISE, pick(rgb(160, 168, 182), rgb(96, 104, 118)), "Re-encoded")
        }
        ChangeKind::SplitMoved => {
            (icon::ARROW_RIGHT, pick(rgb(110, 170, 250), rgb(0, 90, 170)), "Split moved")
        }
        ChangeKind::Renamed => (icon::TEXT_AA, pick(rgb(110, 200, 215), rgb(0, 110, 130)), "Renamed"),
        ChangeKind::Added => (icon::PLUS_CIRCLE, pick(rgb(60, 195, 145), rgb(0, 120, 84)), "Added"),
        ChangeKind::Removed => (icon::MINUS_CIRCLE, pick(rgb(240, 120, 85), rgb(186, 60, 10)), "Removed"),
    }
}

/// The sign, colour and word of a verdict.
#[must_use]
pub fn verdict_look(verdict: &Verdict, dark: bool) -> (&'static str, Color32, &'static str) {
    let palette = if dark { &DARK } else { &LIGHT };
    match verdict {
        Verdict::Keep => (icon::CHECK, palette.good, "Keep"),
        Verdict::Relabel(_) => (icon::TAG, change_look(ChangeKind::Relabelled, dark).1, "Relabel"),
        Verdict::Exclude => (icon::TRASH, palette.danger, "Exclude"),
        Verdict::Revert => (icon::ARROW_U_UP_LEFT, change_look(ChangeKind::SplitMoved, dark).1, "Revert"),
        Verdict::Unsure => (icon::QUESTION_MARK, palette.text_weak, "Unsure"),
    }
}

/// The colour of an amount in [0, 1] on a map: from the background through the contribution's colour to a warning.
#[must_use]
pub fn heat(palette: &Palette, amount: f32) -> Color32 {
    let amount = amount.clamp(0.0, 1.0);
    if amount < 0.5 {
        palette.background.lerp_to_gamma(palette.contribution, 2.0 * amount)
    } else {
        palette.contribution.lerp_to_gamma(palette.warning, 2.0 * amount - 1.0)
    }
}

/// Colours that classes can be told apart by.
pub const CLASS_COLORS: usize = 8;

/// One of [`CLASS_COLORS`] colours for classes: those of Okabe and Ito, lighter or darker where the background asks for it.
#[must_use]
pub fn class_color(at: usize, dark: bool) -> Color32 {
    const ON_DARK: [Color32; CLASS_COLORS] = [
        rgb(86, 180, 233),
        rgb(230, 159, 0),
        rgb(34, 178, 136),
        rgb(240, 228, 66),
        rgb(204, 121, 167),
        rgb(236, 104, 40),
        rgb(92, 124, 230),
        rgb(190, 180, 160),
    ];
    const ON_LIGHT: [Color32; CLASS_COLORS] = [
        rgb(60, 150, 205),
        rgb(216, 140, 0),
        rgb(0, 140, 104),
        rgb(184, 168, 0),
        rgb(190, 96, 148),
        rgb(205, 84, 0),
        rgb(0, 84, 168),
        rgb(96, 84, 66),
    ];
    (if dark { ON_DARK } else { ON_LIGHT })[at % CLASS_COLORS]
}

/// White that covers a share of a pixel.
#[must_use]
pub fn coverage(share: f32) -> Color32 {
    Color32::from_white_alpha((share * 255.0).round() as u8)
}

/// A colour for what stays in the background of `palette`.
#[must_use]
pub fn quiet(color: Color32, palette: &Palette) -> Color32 {
    palette.background.lerp_to_gamma(color, 0.42)
}

/// The colour of a suspicion in [0, 1].
#[must_use]
pub fn suspicion_color(palette: &Palette, suspicion: f64) -> Color32 {
    if suspicion >= 0.8 {
        palette.danger
    } else if suspicion >= 0.5 {
        palette.warning
    } else {
        palette.text_weak
    }
}

/// A size of the heading kind.
#[must_use]
pub fn title_font() -> FontId {
    FontId::new(17.0, strong_family())
}

/// The family of emphasised text.
#[must_use]
pub fn strong_family() -> FontFamily {
    FontFamily::Name("strong".into())
}

/// Emphasised text of the normal size.
pub fn strong(text: impl Into<String>) -> egui::RichText {
    egui::RichText::new(text).family(strong_family())
}

/// Fonts: Inter for Latin, Greek and Cyrillic, Droid Sans Fallback for Chinese, Japanese and Korean, both bundled;
/// whatever they lack comes from the system's fonts (eframe's `system_fonts`).
fn fonts() -> FontDefinitions {
    let mut fonts = FontDefinitions::default();
    let mut add = |name: &str, bytes: &'static [u8]| {
        fonts.font_data.insert(name.to_owned(), Arc::new(FontData::from_static(bytes)));
    };
    add("inter", include_bytes!("../../assets/fonts/Inter-Regular.otf"));
    add("inter-semibold", include_bytes!("../../assets/fonts/Inter-SemiBold.otf"));
    add("droid-fallback", include_bytes!("../../assets/fonts/DroidSansFallback.ttf"));
    add("phosphor", include_bytes!("../../assets/fonts/Phosphor-subset.ttf"));
    let defaults = fonts.families.get(&FontFamily::Proportional).cloned().unwrap_or_default();
    let chain = |first: &str| {
        let mut names = vec![first.to_owned(), "phosphor".to_owned(), "droid-fallback".to_owned()];
        names.extend(defaults.iter().cloned());
        names
    };
    fonts.families.insert(FontFamily::Proportional, chain("inter"));
    fonts.families.insert(strong_family(), chain("inter-semibold"));
    if let Some(monospace) = fonts.families.get_mut(&FontFamily::Monospace) {
        monospace.extend(["phosphor".to_owned(), "droid-fallback".to_owned()]);
    }
    fonts
}

fn visuals(palette: &Palette, dark: bool) -> egui::Visuals {
    let mut v = if dark { egui::Visuals::dark() } else { egui::Visuals::light() };
    v.panel_fill = palette.panel;
    v.window_fill = palette.panel;
    v.window_stroke = Stroke::new(1.0, palette.line);
    // Under scroll bars and progress: told apart from the panel in both themes; text fields have their own.
    v.extreme_bg_color = palette.background;
    v.text_edit_bg_color = Some(if dark { palette.background } else { palette.card });
    v.faint_bg_color = palette.card;
    v.hyperlink_color = palette.accent;
    v.warn_fg_color = palette.warning;
    v.error_fg_color = palette.danger;
    v.selection.bg_fill = palette.accent_soft;
    v.selection.stroke = Stroke::new(1.0, palette.accent);
    v.weak_text_color = Some(palette.text_weak);
    let radius = CornerRadius::same(RADIUS);
    for widget in [
        &mut v.widgets.noninteractive,
        &mut v.widgets.inactive,
        &mut v.widgets.hovered,
        &mut v.widgets.active,
        &mut v.widgets.open,
    ] {
        widget.corner_radius = radius;
        widget.fg_stroke = Stroke::new(1.0, palette.text);
        widget.expansion = 0.0;
    }
    v.widgets.noninteractive.bg_stroke = Stroke::new(1.0, palette.line);
    v.widgets.inactive.weak_bg_fill = palette.card;
    v.widgets.inactive.bg_fill = if dark { palette.card } else { palette.line };
    v.widgets.inactive.bg_stroke = Stroke::new(1.0, palette.line);
    v.widgets.hovered.weak_bg_fill = palette.card_hovered;
    v.widgets.hovered.bg_fill = palette.card_hovered;
    v.widgets.hovered.bg_stroke = Stroke::new(1.0, palette.text_weak);
    v.widgets.hovered.fg_stroke = Stroke::new(1.0, palette.text_strong);
    v.widgets.active.weak_bg_fill = palette.accent_soft;
    v.widgets.active.bg_fill = palette.accent_soft;
    v.widgets.active.bg_stroke = Stroke::new(1.0, palette.accent);
    v.widgets.active.fg_stroke = Stroke::new(1.0, palette.text_strong);
    v.widgets.open.weak_bg_fill = palette.card_hovered;
    v.widgets.open.bg_stroke = Stroke::new(1.0, palette.line);
    v.menu_corner_radius = radius;
    v.window_corner_radius = CornerRadius::same(10);
    v
}

/// Whether anything fades, slides or grows by itself.
pub fn reduce_motion(ctx: &egui::Context, reduced: bool) {
    let time = if reduced { 0.0 } else { egui::Style::default().animation_time };
    ctx.all_styles_mut(|style| style.animation_time = time);
}

/// Installs fonts and both themes.
pub fn install(ctx: &egui::Context) {
    ctx.set_fonts(fonts());
    for (theme, palette, dark) in [(egui::Theme::Dark, &DARK, true), (egui::Theme::Light, &LIGHT, false)] {
        ctx.style_mut_of(theme, |style| {
            style.visuals = visuals(palette, dark);
            style.spacing.item_spacing = Vec2::new(8.0, GAP);
            style.spacing.button_padding = Vec2::new(9.0, 4.0);
            style.spacing.interact_size = Vec2::new(36.0, 26.0);
            style.spacing.scroll = egui::style::ScrollStyle::solid();
            style.spacing.scroll.bar_width = 9.0;
            style.interaction.selectable_labels = false;
            for (text_style, size) in [
                (TextStyle::Small, 11.5),
                (TextStyle::Body, 13.5),
                (TextStyle::Button, 13.5),
                (TextStyle::Monospace, 12.5),
            ] {
                let family = if text_style == TextStyle::Monospace {
                    FontFamily::Monospace
                } else {
                    FontFamily::Proportional
                };
                style.text_styles.insert(text_style, FontId::new(size, family));
            }
            style.text_styles.insert(TextStyle::Heading, title_font());
        });
    }
}
