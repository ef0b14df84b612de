// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// The settings of lifesignd as the configuration message declares them.
//
// proto/lifesign/config/v1/config.proto is the only place where a setting is
// declared; this table is read from its descriptor, and the help texts from its
// comments. Nothing here changes when a setting is added.
#ifndef LIFESIGN_SERVER_OPS_CONFIG_SETTING_H_
#define LIFESIGN_SERVER_OPS_CONFIG_SETTING_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "lifesign/config/v1/config.pb.h"
#include "server/base/time.h"

namespace lifesign {

// One setting: a field of a section of Config.
struct Setting {
  std::string path;  // "policy.ttl"
  const google::protobuf::FieldDescriptor* section;
  const google::protobuf::FieldDescriptor* field;
  std::string help;  // the comment of the field
};

// All settings, in the order in which they are declared. Made at the first
// call and kept.
const std::vector<Setting>& AllSettings();

// The comment of a section ("policy").
std::string SectionHelp(const google::protobuf::FieldDescriptor& section);

// What is declared with `field`.
const config::v1::Setting& DeclarationOf(
    const google::protobuf::FieldDescriptor& field);

// "1s to 2h", "one of debug, info, warning, error", "" if any value will do.
std::string AllowedText(const google::protobuf::FieldDescriptor& field);

// The value of `setting` in `config`, as it is written in a flag. REQUIRES: not
// repeated.
std::string ValueText(const config::v1::Config& config, const Setting& setting);

// Sets `field` of `section` from a flag's text. A repeated field is appended
// to; its text is one element in text format. INVALID_ARGUMENT, and nothing is
// changed, if the text is none of the field's type; whether the value is
// allowed is CheckValue's affair.
absl::Status SetFromText(absl::string_view text,
                         const google::protobuf::FieldDescriptor& field,
                         google::protobuf::Message& section);

// Whether the value of `field` in `section` is one of those declared as
// allowed. INVALID_ARGUMENT with a text that continues the name of the field,
// such as "must be 1s to 2h, but is 3h".
absl::Status CheckValue(const google::protobuf::FieldDescriptor& field,
                        const google::protobuf::Message& section);

// Gives every setting that is not set its default. Device rows are left alone.
void FillDefaults(config::v1::Config& config);

// The value of a duration setting. REQUIRES: it passed CheckValue.
Duration DurationSetting(absl::string_view text);

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_OPS_CONFIG_SETTING_H_
