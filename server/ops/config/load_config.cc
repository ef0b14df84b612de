// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/ops/config/load_config.h"

#include <cstddef>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "google/protobuf/text_format.h"
#include "server/base/socket_address.h"
#include "server/ops/config/setting.h"

namespace lifesign {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr int kPercent = 100;

DeviceClass DeviceClassOf(v1::DeviceClass device) {
  switch (device) {
    case v1::DEVICE_CLASS_WEB:
      return DeviceClass::kWeb;
    case v1::DEVICE_CLASS_MOBILE:
      return DeviceClass::kMobile;
    case v1::DEVICE_CLASS_DESKTOP:
      return DeviceClass::kDesktop;
    case v1::DEVICE_CLASS_TV:
      return DeviceClass::kTv;
    case v1::DEVICE_CLASS_BOT:
      return DeviceClass::kBot;
    default:
      return DeviceClass::kOther;
  }
}

PolicyRow RowOf(const config::v1::Policy& policy) {
  PolicyRow row;
  row.active_window = DurationSetting(policy.active_window());
  row.idle_window = DurationSetting(policy.idle_window());
  row.away_window = DurationSetting(policy.away_window());
  row.ttl = DurationSetting(policy.ttl());
  row.active_interval = DurationSetting(policy.active_interval());
  row.idle_interval = DurationSetting(policy.idle_interval());
  row.background_interval = DurationSetting(policy.background_interval());
  return row;
}

// `device`, with what it leaves out as in `policy`.
PolicyRow RowOf(const config::v1::DeviceRow& device, PolicyRow policy) {
  const auto override = [](bool given, const std::string& text,
                           Duration& value) {
    if (given) {
      value = DurationSetting(text);
    }
  };
  override(device.has_active_window(), device.active_window(),
           policy.active_window);
  override(device.has_idle_window(), device.idle_window(), policy.idle_window);
  override(device.has_away_window(), device.away_window(), policy.away_window);
  override(device.has_ttl(), device.ttl(), policy.ttl);
  override(device.has_active_interval(), device.active_interval(),
           policy.active_interval);
  override(device.has_idle_interval(), device.idle_interval(),
           policy.idle_interval);
  override(device.has_background_interval(), device.background_interval(),
           policy.background_interval);
  return policy;
}

std::string RowPath(int index) {
  return absl::StrCat("policy.device_rows[", index, "]");
}

// Each value that was written, by itself.
void CheckValues(const ConfigDocument& document,
                 std::vector<ConfigError>& errors) {
  const auto check = [&](const FieldDescriptor& field, const Message& section,
                         const std::string& path) {
    const absl::Status allowed = CheckValue(field, section);
    if (!allowed.ok()) {
      errors.push_back(
          {document.Where(path), path, std::string(allowed.message())});
    }
  };
  const config::v1::Config& config = document.written();
  for (const Setting& setting : AllSettings()) {
    const Message& section =
        config.GetReflection()->GetMessage(config, setting.section);
    if (!setting.field->is_repeated() &&
        section.GetReflection()->HasField(section, setting.field)) {
      check(*setting.field, section, setting.path);
    }
  }
  const Descriptor& row = *config::v1::DeviceRow::descriptor();
  for (int i = 0; i < config.policy().device_rows_size(); ++i) {
    const Message& device = config.policy().device_rows(i);
    for (int j = 0; j < row.field_count(); ++j) {
      if (device.GetReflection()->HasField(device, row.field(j))) {
        check(*row.field(j), device,
              absl::StrCat(RowPath(i), ".", row.field(j)->name()));
      }
    }
  }
}

// Each row names a class, and no two the same.
void CheckDeviceClasses(const ConfigDocument& document,
                        std::vector<ConfigError>& errors) {
  std::set<v1::DeviceClass> seen;
  const auto& rows = document.written().policy().device_rows();
  for (int i = 0; i < rows.size(); ++i) {
    const std::string path = absl::StrCat(RowPath(i), ".device_class");
    const v1::DeviceClass device = rows.Get(i).device_class();
    if (device == v1::DEVICE_CLASS_UNSPECIFIED ||
        !v1::DeviceClass_IsValid(device)) {
      errors.push_back({document.Where(path), path,
                        "must name a class, such as DEVICE_CLASS_MOBILE"});
    } else if (!seen.insert(device).second) {
      errors.push_back(
          {document.Where(path), path,
           absl::StrCat(v1::DeviceClass_Name(device), " has a row already")});
    }
  }
}

// The path of a field as the core names it: "ttl", or "mobile.ttl".
std::string PathOf(absl::string_view field, const config::v1::Policy& policy) {
  const std::vector<absl::string_view> parts = absl::StrSplit(field, '.');
  if (parts.size() == 2) {
    for (int i = 0; i < policy.device_rows_size(); ++i) {
      const auto device = DeviceClassOf(policy.device_rows(i).device_class());
      if (parts[0] == DeviceClassName(device)) {
        return absl::StrCat(RowPath(i), ".", parts[1]);
      }
    }
  }
  return absl::StrCat("policy.", field);
}

// Where a person must look: at the field itself if it was written, else at a
// field that the violation names and that was, else at what is around it.
std::string WhereToLook(const ConfigDocument& document, const std::string& path,
                        absl::string_view description) {
  if (document.IsWritten(path)) {
    return document.Where(path);
  }
  const std::string siblings = path.substr(0, path.rfind('.'));
  for (const absl::string_view word :
       absl::StrSplit(description, absl::ByAnyChar(" ,;:()"))) {
    for (const absl::string_view owner :
         {absl::string_view(siblings), absl::string_view("policy")}) {
      const std::string named = absl::StrCat(owner, ".", word);
      if (document.IsWritten(named)) {
        return document.Where(named);
      }
    }
  }
  return document.Where(path);
}

void CheckPolicy(const ConfigDocument& document,
                 std::vector<ConfigError>& errors) {
  const config::v1::Config config = EffectiveConfig(document);
  for (const PolicyViolation& violation : ValidatePolicy(PolicyOf(config))) {
    const std::string path = PathOf(violation.field, config.policy());
    errors.push_back({WhereToLook(document, path, violation.description), path,
                      violation.description});
  }
}

void CheckListenAddress(const ConfigDocument& document,
                        std::vector<ConfigError>& errors) {
  const config::v1::Config config = EffectiveConfig(document);
  const std::string path = "server.listen_address";
  const auto address = SocketAddress::Parse(config.server().listen_address());
  if (!address.ok()) {
    errors.push_back(
        {document.Where(path), path, std::string(address.status().message())});
  } else if (!address->IsLoopback() && !config.server().insecure()) {
    errors.push_back(
        {document.Where(path), path,
         absl::StrCat(address->ToString(),
                      " can be reached from other machines, and connections "
                      "are not encrypted: listen on 127.0.0.1 or [::1], or "
                      "allow it with --insecure")});
  } else if (!address->IsLoopback() && config.server().see_through()) {
    const std::string see_through = "server.see_through";
    errors.push_back(
        {document.Where(see_through), see_through,
         absl::StrCat(address->ToString(),
                      " can be reached from other machines, and callers are "
                      "not authenticated: whoever is invisible would be so to "
                      "nobody")});
  }
}

}  // namespace

std::vector<ConfigError> CheckConfig(const ConfigDocument& document) {
  std::vector<ConfigError> errors;
  CheckValues(document, errors);
  CheckDeviceClasses(document, errors);
  CheckListenAddress(document, errors);
  // Relations between values mean nothing while a value means nothing.
  bool policy_stands = true;
  for (const ConfigError& error : errors) {
    policy_stands = policy_stands && error.path.rfind("policy.", 0) != 0;
  }
  if (policy_stands) {
    CheckPolicy(document, errors);
  }
  return errors;
}

config::v1::Config EffectiveConfig(const ConfigDocument& document) {
  config::v1::Config config = document.written();
  FillDefaults(config);
  return config;
}

std::string ConfigText(const config::v1::Config& config) {
  google::protobuf::TextFormat::Printer printer;
  printer.SetUseUtf8StringEscaping(true);
  std::string text;
  printer.PrintToString(config, &text);
  return text;
}

Policy PolicyOf(const config::v1::Config& config) {
  const config::v1::Policy& written = config.policy();
  Policy policy;
  policy.defaults = RowOf(written);
  for (const config::v1::DeviceRow& device : written.device_rows()) {
    const auto index =
        static_cast<std::size_t>(DeviceClassOf(device.device_class()));
    policy.by_device[index] = RowOf(device, policy.defaults);
  }
  policy.downgrade_debounce = DurationSetting(written.downgrade_debounce());
  policy.jitter_percent = written.jitter_percent();
  policy.restart_grace = DurationSetting(written.restart_grace());
  policy.offline_retention = DurationSetting(written.offline_retention());
  return ScalePolicy(policy, written.time_scale_percent(), kPercent);
}

}  // namespace lifesign
