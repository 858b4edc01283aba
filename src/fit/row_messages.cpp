#include "fit/row_messages.hpp"

namespace gapkit {
namespace {

void put_geometry(ByteWriter& out, const Structure& s) {
  out.put(s.cell.has_value());
  if (s.cell) out.put(*s.cell);
  out.put(s.pbc);
  out.put(s.atomic_numbers);
  out.put(s.positions);
  out.put(s.config_type);
  out.put(s.source);
}

Structure get_geometry(ByteReader& in) {
  Structure s;
  if (in.get<bool>()) in.get(s.cell.emplace());
  in.get(s.pbc);
  in.get(s.atomic_numbers);
  in.get(s.positions);
  in.get(s.config_type);
  in.get(s.source);
  return s;
}

}  // namespace

void put_frame(ByteWriter& out, const FrameRows& frame) {
  put_geometry(out, frame.structure);
  out.put(frame.structure.local.response);
  const RowTargets& targets = frame.targets;
  out.put(targets.wanted);
  out.put(targets.value);
  out.put(targets.group);
  out.put(targets.noise_scale);
  out.put(frame.number);
  out.put(frame.is_kept);
}

FrameRows get_frame(ByteReader& in) {
  FrameRows frame;
  frame.structure = get_geometry(in);
  in.get(frame.structure.local.response);
  RowTargets& targets = frame.targets;
  in.get(targets.wanted);
  in.get(targets.value);
  in.get(targets.group);
  in.get(targets.noise_scale);
  in.get(frame.number);
  in.get(frame.is_kept);
  return frame;
}

void put_kept(ByteWriter& out, const KeptRows& kept) {
  out.put(kept.number);
  out.put(kept.config_type);
  put_geometry(out, kept.geometry);
  out.put(kept.rows);
  out.put(kept.exact);
  out.put(kept.rounded);
  out.put(kept.is_exact);
}

KeptRows get_kept(ByteReader& in) {
  KeptRows kept;
  in.get(kept.number);
  in.get(kept.config_type);
  kept.geometry = get_geometry(in);
  in.get(kept.rows);
  in.get(kept.exact);
  in.get(kept.rounded);
  in.get(kept.is_exact);
  return kept;
}

void put_group(ByteWriter& out, const RowGroup& group) {
  out.put(group.property);
  out.put(group.config_class);
  out.put(group.fixed);
  out.put(group.sigma);
  out.put(group.fold);
}

RowGroup get_group(ByteReader& in) {
  RowGroup group;
  in.get(group.property);
  in.get(group.config_class);
  in.get(group.fixed);
  in.get(group.sigma);
  in.get(group.fold);
  return group;
}

}  // namespace gapkit
