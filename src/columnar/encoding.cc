#include "columnar/encoding.h"

namespace orochi::columnar {

std::string_view EncodingName(Encoding encoding) {
  switch (encoding) {
    case Encoding::kPlain:
      return "plain";
    case Encoding::kConstant:
      return "constant";
    case Encoding::kRunLength:
      return "run_length";
    case Encoding::kFrameOfReference:
      return "frame_of_reference";
    case Encoding::kDelta:
      return "delta";
    case Encoding::kDictionary:
      return "dictionary";
    case Encoding::kGorilla:
      return "gorilla";
    case Encoding::kDecimal:
      return "decimal";
  }
  return {};
}

}  // namespace orochi::columnar
