#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace orochi::kv {

/// What JSON and MessagePack have in common, and bytes, which only MessagePack has.
struct Document {
  enum class Kind : uint8_t {
    kNull,
    kBool,
    kSigned,    // an integer up to INT64_MAX
    kUnsigned,  // an integer past that
    kFloat,     // of four bytes; only from and to MessagePack
    kDouble,
    kString,
    kBytes,
    kArray,
    kObject
  };

  Kind kind = Kind::kNull;
  bool boolean = false;
  int64_t signed_number = 0;
  uint64_t unsigned_number = 0;
  double number = 0;                    // kFloat, kDouble
  std::string text = {};                // kString, kBytes; of numbers in JSON as they were written
  std::vector<Document> items = {};     // kArray, and the values of kObject
  std::vector<std::string> names = {};  // kObject

  static Document Bool(bool value);
  static Document Signed(int64_t value);
  static Document Unsigned(uint64_t value);  // kSigned where it fits
  static Document Float(float value);
  static Document Double(double value);
  static Document String(std::string value);
  static Document Bytes(std::string value);
  static Document Array(std::vector<Document> items = {});
  static Document Object();

  /// Adds a member. REQUIRES: kObject.
  void Add(std::string name, Document value);
  /// nullptr: no such member.
  const Document* Find(std::string_view name) const;
};

/// "a string", "an array", ...: for messages.
std::string_view DescribeKind(Document::Kind kind);

/// What a parser takes; checked as it reads, before memory is taken for more.
struct DocumentBounds {
  size_t size_bytes_max = 16 * 1024 * 1024;
  size_t depth_max = 64;  // arrays and objects within each other
  size_t node_count_max = 200'000;
  size_t member_count_max = 1100;  // of one object: more than any schema has fields
};

/// Builds a document from a parser's events. Each answers false when the parser must stop, and
/// status() then says why and where.
class DocumentBuilder {
 public:
  explicit DocumentBuilder(const DocumentBounds& bounds) : bounds_(bounds) {}

  bool Scalar(Document value);
  bool Open(Document::Kind kind);  // kArray or kObject
  bool Name(std::string name);     // of the member that comes next
  bool Close();
  bool Fail(std::string_view what);

  const Status& status() const { return status_; }
  /// "$.fields[2]": where the parser is.
  std::string Path() const;
  /// REQUIRES: status() is ok; all that was opened is closed.
  Document Take();

 private:
  Document* Place();

  DocumentBounds bounds_;
  Document root_;
  bool has_root_ = false;
  std::vector<Document*> open_;  // each the last item of the one before
  size_t node_count_ = 0;
  Status status_;
};

}  // namespace orochi::kv
