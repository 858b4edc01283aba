#pragma once

namespace gapkit {

/// Style sheet of Page (share/gapkit/report.css, embedded by the build). It has no '<' and no '&', so it needs no escapes in XML.
extern const char* const page_style;

/// Script of Page (share/gapkit/report.js, embedded by the build): theme switch, tooltips of points, shared legends, sorting of tables.
/// The page is complete without it. It is in a CDATA section and must not contain the end mark of one.
extern const char* const page_script;

}  // namespace gapkit
