#pragma once

#include <string>

#include "kv/gateway/gateway.h"
#include "kv/http/message.h"

namespace orochi::kv::http {

/// GET, POST and DELETE of /v1/api/keys/{key}: single values of any bytes under names, for people
/// and scripts. They are records of the collection "keys", which the first POST makes.
///
/// Threads: the loop's.    Borrows: gateway.
class Keys {
 public:
  explicit Keys(Gateway& gateway) : gateway_(gateway) {}
  void Handle(Call call, Done done);

 private:
  void Find(Gateway::Done<SchemaHandle> done);
  void Make(Gateway::Done<SchemaHandle> done);
  void Get(const SchemaHandle& in, const std::string& key, Done done);
  void Put(const SchemaHandle& in, const std::string& key, std::string value, Done done);
  void Delete(const SchemaHandle& in, const std::string& key, Done done);

  Gateway& gateway_;
};

}  // namespace orochi::kv::http
