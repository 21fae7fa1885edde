#include "cli/kv/result_list.h"

#include <algorithm>

#include "base/str_cat.h"
#include "cli/kv/value_json.h"
#include "cli/sstable/output.h"
#include "cli/text_table.h"

namespace orochi::cli {

using kv::client::Value;

Status PrintList(const std::vector<Value>& objects, const std::vector<KvColumn>& columns,
                 KvForm form, const Terminal& terminal) {
  if (form == KvForm::kTable) {
    std::vector<TextTable::Column> titles;
    for (const KvColumn& column : columns) {
      titles.push_back(
          {.title = column.title,
           .align = column.is_number ? TextTable::Align::kRight : TextTable::Align::kLeft});
    }
    TextTable table(std::move(titles));
    for (const Value& object : objects) {
      std::vector<std::string> cells;
      for (const KvColumn& column : columns) {
        const Value* const member = object.Find(column.member);
        cells.push_back(member == nullptr || member->is_null() ? "-" : CellOf(*member));
      }
      table.AddRow(std::move(cells));
    }
    for (const std::string& line : table.Render(terminal)) {
      RETURN_IF_ERROR(WriteToStdout(line + "\n"));
    }
    return Status::Ok();
  }
  bool const is_array = form == KvForm::kJson;
  RETURN_IF_ERROR(WriteToStdout(is_array ? "[" : ""));
  for (size_t index = 0; index < objects.size(); ++index) {
    std::string const json = JsonOf(objects[index]);
    RETURN_IF_ERROR(WriteToStdout(is_array ? StrCat(index > 0 ? ",\n " : "", json) : json + "\n"));
  }
  return WriteToStdout(is_array ? "]\n" : "");
}

Status PrintOne(const Value& object, KvForm form) {
  if (form != KvForm::kTable || object.AsObject() == nullptr) {
    return WriteToStdout(JsonOf(object) + "\n");
  }
  size_t width = 0;
  for (const auto& [name, value] : *object.AsObject()) {
    width = std::max(width, name.size());
  }
  for (const auto& [name, value] : *object.AsObject()) {
    RETURN_IF_ERROR(WriteToStdout(
        StrCat(name, std::string(width + 2 - name.size(), ' '), CellOf(value), "\n")));
  }
  return Status::Ok();
}

}  // namespace orochi::cli
