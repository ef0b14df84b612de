// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// docs/concepts.md § 14: which texts are ids, values, metadata.
#include "server/core/signal/text_rules.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "server/base/limits.h"

namespace lifesign {
namespace {

using namespace std::string_literals;

bool IsId(const std::string& text) {
  return !IdFault(text, limits::kMaxIdBytes).has_value();
}

bool IsText(const std::string& text) {
  return !TextFault(text, limits::kMaxMetadataValueBytes).has_value();
}

TEST(TextRulesTest, AnIdIs1To128Bytes) {
  EXPECT_FALSE(IsId(""));
  EXPECT_TRUE(IsId("u"));
  EXPECT_TRUE(IsId(std::string(128, 'u')));
  EXPECT_FALSE(IsId(std::string(129, 'u')));
  // Bytes, not characters: 64 of two bytes each, and one more.
  std::string wide;
  for (int i = 0; i < 64; ++i) wide += "ü";
  EXPECT_TRUE(IsId(wide));
  EXPECT_FALSE(IsId(wide + "a"));
}

// C74: bytes that are not UTF-8.
TEST(TextRulesTest, AnIdIsValidUtf8) {
  EXPECT_FALSE(IsId("\xFF\xFE"));
  EXPECT_FALSE(IsId("\xED\xA0\x80"));  // a surrogate
  EXPECT_FALSE(IsId("\xED\xBF\xBF"));  // the last one
  EXPECT_TRUE(IsId("\xED\x9F\xBF"));   // U+D7FF
  EXPECT_TRUE(IsId("\xEE\x80\x80"));   // U+E000
  EXPECT_FALSE(IsId("\xC0\xAF"));      // overlong
  EXPECT_FALSE(IsId("\xC1\xBF"));
  EXPECT_FALSE(IsId("\xE0\x9F\xBF"));
  EXPECT_TRUE(IsId("\xE0\xA0\x80"));  // U+0800
  EXPECT_FALSE(IsId("\xF0\x8F\xBF\xBF"));
  EXPECT_TRUE(IsId("\xF0\x90\x80\x80"));   // U+10000
  EXPECT_TRUE(IsId("\xF4\x8F\xBF\xBF"));   // U+10FFFF
  EXPECT_FALSE(IsId("\xF4\x90\x80\x80"));  // past it
  EXPECT_FALSE(IsId("\xF5\x80\x80\x80"));
  EXPECT_FALSE(IsId("\x80"));   // a continuation alone
  EXPECT_FALSE(IsId("a\xC3"));  // cut short
  EXPECT_FALSE(IsId("a\xE2\x82"));
  EXPECT_FALSE(IsId("a\xF0\x9F\x98"));
  EXPECT_FALSE(IsId("\xC3\x28"));
}

TEST(TextRulesTest, NoCodePointOfCategoryCc) {
  for (int point = 0; point < 0x20; ++point) {
    EXPECT_FALSE(IsId(std::string("a") + static_cast<char>(point))) << point;
  }
  EXPECT_FALSE(IsId("a\0b"s));
  EXPECT_FALSE(IsId("a\x7F"));
  EXPECT_FALSE(IsId("a\xC2\x80"));
  EXPECT_FALSE(IsId("a\xC2\x9F"));
  EXPECT_TRUE(IsId("a\xC2\xA0"));  // no-break space is not Cc
  EXPECT_TRUE(IsId("a~"));
}

TEST(TextRulesTest, NoBidirectionalControl) {
  EXPECT_TRUE(IsId("a\xE2\x80\xA9"));   // U+2029, just below
  EXPECT_FALSE(IsId("a\xE2\x80\xAA"));  // U+202A
  EXPECT_FALSE(IsId("a\xE2\x80\xAE"));  // U+202E
  EXPECT_TRUE(IsId("a\xE2\x80\xAF"));   // U+202F
  EXPECT_TRUE(IsId("a\xE2\x81\xA5"));   // U+2065
  EXPECT_FALSE(IsId("a\xE2\x81\xA6"));  // U+2066
  EXPECT_FALSE(IsId("a\xE2\x81\xA9"));  // U+2069
  EXPECT_TRUE(IsId("a\xE2\x81\xAA"));   // U+206A
  EXPECT_TRUE(IsId("a\xE2\x80\x8F"));   // U+200F, a mark and no control
}

TEST(TextRulesTest, NotOnlyWhiteSpace) {
  EXPECT_FALSE(IsId(" "));
  EXPECT_FALSE(IsId("  \xC2\xA0"));
  EXPECT_FALSE(IsId("\xE3\x80\x80"));  // ideographic space
  EXPECT_TRUE(IsId(" a"));
}

TEST(TextRulesTest, AValueMayBeEmptyOrWhiteSpace) {
  EXPECT_TRUE(IsText(""));
  EXPECT_TRUE(IsText("  "));
  EXPECT_FALSE(IsText("a\x01"));
  EXPECT_FALSE(IsText("\xFF"));
  EXPECT_FALSE(IsText("a\xE2\x80\xAE"));
  EXPECT_TRUE(IsText(std::string(512, 'v')));
  EXPECT_FALSE(IsText(std::string(513, 'v')));
}

// C76: metadata at each limit and one past it.
class MetadataTest : public ::testing::Test {
 protected:
  static std::string Limit(const Metadata& metadata) {
    const auto fault = FindMetadataFault(metadata);
    return fault.has_value() ? std::string(fault->limit) : "none";
  }
  static Metadata Keys(int count) {
    Metadata metadata;
    for (int i = 0; i < count; ++i) {
      metadata.emplace_back(absl::StrCat("key", i), "v");
    }
    return metadata;
  }
};

TEST_F(MetadataTest, At32KeysAndOnePast) {
  EXPECT_EQ(Limit(Keys(32)), "none");
  EXPECT_EQ(Limit(Keys(33)), "metadata_keys");
}

TEST_F(MetadataTest, AtAKeyOf64BytesAndOnePast) {
  EXPECT_EQ(Limit({{std::string(64, 'k'), "v"}}), "none");
  EXPECT_EQ(Limit({{std::string(65, 'k'), "v"}}), "metadata_key_bytes");
  EXPECT_EQ(Limit({{"", "v"}}), "metadata_key_bytes");
}

TEST_F(MetadataTest, AtAValueOf512BytesAndOnePast) {
  EXPECT_EQ(Limit({{"k", std::string(512, 'v')}}), "none");
  EXPECT_EQ(Limit({{"k", std::string(513, 'v')}}), "metadata_value_bytes");
  EXPECT_EQ(Limit({{"k", ""}}), "none");
}

TEST_F(MetadataTest, At4096BytesInAllAndOnePast) {
  Metadata metadata;
  for (int i = 0; i < 8; ++i) {
    metadata.emplace_back(absl::StrCat("k", i), std::string(510, 'v'));
  }
  EXPECT_EQ(Limit(metadata), "none");
  metadata.back().second += "v";
  EXPECT_EQ(Limit(metadata), "metadata_bytes");
}

TEST_F(MetadataTest, AFaultNamesTheKeyItConcerns) {
  const auto fault =
      FindMetadataFault({{"good", "v"}, {"bad", std::string(513, 'v')}});
  ASSERT_TRUE(fault.has_value());
  EXPECT_EQ(fault->key, "bad");
  EXPECT_FALSE(fault->description.empty());
}

}  // namespace
}  // namespace lifesign
