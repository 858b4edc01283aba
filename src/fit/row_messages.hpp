#pragma once

#include <gapkit/core/bytes.hpp>

#include "fit/row_sums.hpp"

namespace gapkit {

// Messages between the processes of a divided pass. Rank 0 sends a command and gets one reply of each rank; a reply begins with the number
// of its pass, so that replies to a pass that was given up are told apart.
enum class RowCommand : int {
  end,    ///< leave serve_rows(); no reply
  begin,  ///< settings of a pass; after the replies, terms and factor follow as broadcasts
  block,  ///< frames: their rows are summed; the reply has the rows that are kept
  sums,   ///< after the replies, the sums move to rank 0 (move_sums)
};

/// First value of a reply after the number of the pass.
enum class RowReply : int { done, input_error, numerical_error, error };

void put_frame(ByteWriter& out, const FrameRows& frame);
FrameRows get_frame(ByteReader& in);

void put_kept(ByteWriter& out, const KeptRows& kept);
KeptRows get_kept(ByteReader& in);

void put_group(ByteWriter& out, const RowGroup& group);
RowGroup get_group(ByteReader& in);

}  // namespace gapkit
