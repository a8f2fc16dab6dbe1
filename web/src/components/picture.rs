//! What somebody sees of an element as a picture of its own: drawings, plots, and the texts around them. The page's style sheet
//! stays behind, so everything carries its look.

use js_sys::encode_uri_component;
use std::fmt::Write as _;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    CanvasRenderingContext2d, CssStyleDeclaration, Document, DomRect, Element, HtmlCanvasElement, HtmlImageElement,
    Node, Window, XmlSerializer,
};

/// What of a drawing's look goes with it.
const LOOK: [&str; 12] = [
    "fill",
    "stroke",
    "stroke-width",
    "stroke-dasharray",
    "stroke-linejoin",
    "opacity",
    "font-family",
    "font-size",
    "font-weight",
    "text-anchor",
    "visibility",
    "display",
];

/// What is to be pressed or only told is not in a picture.
const LEFT_OUT: &str = "button, select, details, .unseen";

/// The picture that the page calls so, where it is to be seen, as an SVG document.
pub fn svg(picture: &str) -> Option<String> {
    let window = web_sys::window()?;
    let page = window.document()?;
    let found = page.query_selector_all(&format!("[data-picture='{picture}']")).ok()?;
    let shown = |index| {
        found.item(index)?.dyn_into::<Element>().ok().filter(|one| one.get_bounding_client_rect().width() > 0.0)
    };
    let element = (0..found.length()).find_map(shown)?;
    let frame = element.get_bounding_client_rect();
    let mut painter = Painter { window, page, frame, out: String::new() };
    let body: Element = painter.page.body()?.into();
    painter.ground(&painter.frame.clone(), &painter.style(&body)?);
    painter.paint(&element);
    let (width, height) = (painter.frame.width().round(), painter.frame.height().round());
    let inner = painter.out;
    Some(format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">{inner}</svg>"#
    ))
}

/// The same as PNG, in so many pixels for each of its own, as a data URL. None: the browser cannot.
pub async fn png(svg: String, ratio: f64) -> Option<String> {
    let image = HtmlImageElement::new().ok()?;
    image.set_src(&data_url("image/svg+xml", &svg));
    JsFuture::from(image.decode()).await.ok()?;
    let (width, height) = (f64::from(image.width()) * ratio, f64::from(image.height()) * ratio);
    let canvas = web_sys::window()?.document()?.create_element("canvas").ok()?.dyn_into::<HtmlCanvasElement>().ok()?;
    canvas.set_width(width as u32);
    canvas.set_height(height as u32);
    let context = canvas.get_context("2d").ok()??.dyn_into::<CanvasRenderingContext2d>().ok()?;
    context.draw_image_with_html_image_element_and_dw_and_dh(&image, 0.0, 0.0, width, height).ok()?;
    canvas.to_data_url().ok()
}

/// A text as an address that holds it.
pub fn data_url(mime: &str, text: &str) -> String {
    format!("data:{mime};charset=utf-8,{}", encode_uri_component(text))
}

struct Painter {
    window: Window,
    page: Document,
    /// What becomes the picture; everything is placed from its corner.
    frame: DomRect,
    out: String,
}

impl Painter {
    fn style(&self, element: &Element) -> Option<CssStyleDeclaration> {
        self.window.get_computed_style(element).ok().flatten()
    }

    fn paint(&mut self, element: &Element) {
        let Some(style) = self.style(element) else { return };
        let place = element.get_bounding_client_rect();
        if place.width() == 0.0 || element.matches(LEFT_OUT).unwrap_or(true) {
            return;
        }
        if let Some(canvas) = element.dyn_ref::<HtmlCanvasElement>() {
            let at = self.at(&place);
            let _ = write!(self.out, r#"<image {at} href="{}"/>"#, canvas.to_data_url().unwrap_or_default());
            return;
        }
        if element.tag_name() == "svg" {
            return self.drawing(element, &place);
        }
        self.ground(&place, &style);
        let mut child = element.first_child();
        while let Some(node) = child {
            match node.dyn_ref::<Element>() {
                Some(element) => self.paint(element),
                None => self.text(&node, &style),
            }
            child = node.next_sibling();
        }
    }

    /// Position and size within the picture.
    fn box_of(&self, place: &DomRect) -> [(&'static str, f64); 4] {
        let (x, y) = (place.left() - self.frame.left(), place.top() - self.frame.top());
        [("x", x), ("y", y), ("width", place.width()), ("height", place.height())]
    }

    /// The same as attributes.
    fn at(&self, place: &DomRect) -> String {
        self.box_of(place).map(|(name, value)| format!(r#"{name}="{value:.1}""#)).join(" ")
    }

    /// A background, if there is one.
    fn ground(&mut self, place: &DomRect, style: &CssStyleDeclaration) {
        let value = |name| style.get_property_value(name).unwrap_or_default();
        let (fill, opacity) = (value("background-color"), value("opacity"));
        if !fill.ends_with(", 0)") {
            let at = self.at(place);
            let _ = write!(self.out, r#"<rect {at} fill="{fill}" opacity="{opacity}"/>"#);
        }
    }

    /// A text, in the line that it has in the page.
    fn text(&mut self, node: &Node, style: &CssStyleDeclaration) {
        let text = node.text_content().unwrap_or_default();
        let Some(range) = self.page.create_range().ok().filter(|_| !text.trim().is_empty()) else { return };
        let _ = range.select_node_contents(node);
        let place = range.get_bounding_client_rect();
        let value = |name| style.get_property_value(name).unwrap_or_default().replace('"', "'");
        let (x, y) = (place.left() - self.frame.left(), (place.top() + place.bottom()) / 2.0 - self.frame.top());
        let text = text.trim().replace('&', "&amp;").replace('<', "&lt;");
        let _ = write!(
            self.out,
            r#"<text x="{x:.1}" y="{y:.1}" dominant-baseline="central" fill="{}" font-family="{}" font-size="{}" font-weight="{}">{text}</text>"#,
            value("color"),
            value("font-family"),
            value("font-size"),
            value("font-weight"),
        );
    }

    /// A drawing within the picture.
    fn drawing(&mut self, drawn: &Element, place: &DomRect) {
        let Some(copy) = drawn.clone_node_with_deep(true).ok().and_then(|copy| copy.dyn_into::<Element>().ok()) else {
            return;
        };
        self.dress(drawn, &copy);
        for (name, value) in self.box_of(place) {
            let _ = copy.set_attribute(name, &format!("{value:.1}"));
        }
        // As XML: HTML writes `&nbsp;`, and leaves `<` in attributes.
        let written = XmlSerializer::new().and_then(|serializer| serializer.serialize_to_string(&copy));
        self.out.push_str(&written.unwrap_or_default());
    }

    /// Writes the look of each drawn element into its copy.
    fn dress(&self, drawn: &Element, copy: &Element) {
        if let Some(style) = self.style(drawn) {
            for name in LOOK {
                if let Ok(value) = style.get_property_value(name) {
                    let _ = copy.set_attribute(name, &value);
                }
            }
            let _ = copy.remove_attribute("class");
        }
        let (mut drawn, mut copy) = (drawn.first_element_child(), copy.first_element_child());
        while let (Some(from), Some(to)) = (drawn, copy) {
            self.dress(&from, &to);
            (drawn, copy) = (from.next_element_sibling(), to.next_element_sibling());
        }
    }
}
