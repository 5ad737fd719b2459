#include "grammar/network.h"

#include <algorithm>
#include <map>
#include <unordered_map>

#include "errors.h"
#include "unicode/utf8.h"

namespace gt::grammar {

namespace {

constexpr size_t most_places = 400000;
constexpr size_t most_edges = 2000000;
constexpr uint64_t small = 4;  // places of what is copied for each repetition; larger parts become rules

class Builder {
 public:
  Builder(const Syntax& syntax, const TokenLookup& find_token) : syntax_(syntax), find_token_(find_token) {}

  Network run() {
    new_place();  // behind the root
    for (const Syntax::Rule& rule : syntax_.rules) {
      bodies_.push_back(rule.body);
      names_.push_back(rule.name);
    }
    // Parts that are repeated become rules on the way.
    for (uint32_t rule = 0; rule < bodies_.size(); rule++) {
      owner_ = names_[rule];
      const uint32_t end = new_place();
      network_.places[end].is_end = true;
      network_.rules.emplace_back();
      network_.rules[rule].start = compile(bodies_[rule], end);
    }
    network_.root = syntax_.root;
    prune();
    rank();
    classify();
    return std::move(network_);
  }

 private:
  using Kind = Node::Kind;

  uint32_t new_place() {
    if (network_.places.size() >= most_places)
      throw RangeError("Expected a smaller grammar for response_format: it needs more than " + std::to_string(most_places) +
                       " states, in the rule \"" + owner_ + "\"");
    network_.places.emplace_back();
    return static_cast<uint32_t>(network_.places.size()) - 1;
  }

  void set_edges(uint32_t place, const std::vector<Edge>& edges) {
    if (network_.edges.size() + edges.size() > most_edges)
      throw RangeError("Expected a smaller grammar for response_format: it needs more than " + std::to_string(most_edges) +
                       " transitions, in the rule \"" + owner_ + "\"");
    network_.places[place].first = static_cast<uint32_t>(network_.edges.size());
    network_.places[place].count = static_cast<uint32_t>(edges.size());
    network_.edges.insert(network_.edges.end(), edges.begin(), edges.end());
  }

  uint32_t place_with(const std::vector<Edge>& edges) {
    const uint32_t place = new_place();
    set_edges(place, edges);
    return place;
  }

  static Edge empty(uint32_t target) { return {Edge::Kind::empty, 0, 0, target, 0}; }
  static Edge bytes(uint32_t low, uint32_t high, uint32_t target) {
    return {Edge::Kind::bytes, static_cast<uint8_t>(low), static_cast<uint8_t>(high), target, 0};
  }
  uint32_t call(uint32_t rule, uint32_t next) { return place_with({{Edge::Kind::call, 0, 0, next, rule}}); }

  // The place from which the node leads to `next`.
  uint32_t compile(uint32_t index, uint32_t next) {
    const Node& node = syntax_.nodes[index];
    switch (node.kind) {
      case Kind::literal: return literal(node.text, next);
      case Kind::set: return set(node.ranges, next);
      case Kind::rule: return call(node.rule, next);
      case Kind::token: return token(node, next);
      case Kind::sequence: {
        uint32_t place = next;
        for (auto child = node.children.rbegin(); child != node.children.rend(); ++child) place = compile(*child, place);
        return place;
      }
      case Kind::alternation: {
        std::vector<Edge> edges;
        for (uint32_t child : node.children) edges.push_back(empty(compile(child, next)));
        return place_with(edges);
      }
      case Kind::repeat: return repeat(node, next);
    }
    return next;
  }

  uint32_t literal(const std::u32string& text, uint32_t next) {
    uint32_t place = next;
    for (auto c = text.rbegin(); c != text.rend(); ++c) {
      if (*c >= 0xd800 && *c < 0xe000) return place_with({});  // no text has it
      char utf8[4];
      for (size_t i = unicode::encode(*c, utf8); i > 0; i--) {
        const auto byte = static_cast<uint8_t>(utf8[i - 1]);
        place = place_with({bytes(byte, byte, place)});
      }
    }
    return place;
  }

  uint32_t token(const Node& node, uint32_t next) {
    const int64_t id = node.token >= 0 ? node.token : find_token_(node.name);
    if (id < 0 || id > INT32_MAX)
      throw RangeError("response_format: the tokenizer has no token " + node.name + ", which the rule \"" + owner_ + "\" names");
    auto& tokens = network_.tokens;
    const auto found = std::find(tokens.begin(), tokens.end(), static_cast<int32_t>(id));
    const auto place = static_cast<uint32_t>(found - tokens.begin());
    if (found == tokens.end()) {
      if (tokens.size() >= 256) throw RangeError("Expected a grammar that names at most 256 tokens for response_format");
      tokens.push_back(static_cast<int32_t>(id));
    }
    return place_with({{Edge::Kind::token, 0, 0, next, place}});
  }

  uint32_t repeat(const Node& node, uint32_t next) {
    uint32_t child = node.children[0];
    const bool endless = node.max == Node::kUnlimited;
    const uint32_t copies = endless ? std::max(node.min, 1u) : node.max;
    const bool outlined = copies > 1 && places_of(child) > small;
    const uint32_t rule = outlined ? rule_for(child) : 0;
    const auto once = [&](uint32_t to) { return outlined ? call(rule, to) : compile(child, to); };
    uint32_t place = next;
    uint32_t left = node.min;
    if (endless) {
      const uint32_t loop = new_place();
      const uint32_t start = once(loop);
      set_edges(loop, {empty(start), empty(next)});
      place = left > 0 ? start : loop;
      if (left > 0) left--;
    } else {
      for (uint32_t i = node.min; i < node.max; i++) place = place_with({empty(once(place)), empty(next)});
    }
    for (; left > 0; left--) place = once(place);
    return place;
  }

  uint32_t rule_for(uint32_t node) {
    const auto [found, is_new] = outlined_.emplace(node, static_cast<uint32_t>(bodies_.size()));
    if (is_new) {
      bodies_.push_back(node);
      names_.push_back(owner_);
    }
    return found->second;
  }

  // How many places a copy of the node needs, about.
  uint64_t places_of(uint32_t index) {
    const Node& node = syntax_.nodes[index];
    switch (node.kind) {
      case Kind::literal: return node.text.size();
      case Kind::set: return node.ranges.empty() || node.ranges.back().second < 0x80 ? 1 : small;
      case Kind::rule:
      case Kind::token: return 1;
      case Kind::repeat: return node.max == Node::kUnlimited && node.min < 2 ? 1 + places_of(node.children[0]) : small + 1;
      default: break;
    }
    uint64_t sum = node.kind == Kind::alternation;
    for (size_t i = 0; i < node.children.size() && sum <= small; i++) sum += places_of(node.children[i]);
    return sum;
  }

  uint32_t set(const Ranges& ranges, uint32_t next) {
    // How many bytes; the characters; the bits of the first byte.
    struct Length {
      uint32_t rest;
      char32_t first, last;
      uint32_t lead;
    };
    static constexpr Length lengths[] = {{0, 0, 0x7f, 0}, {1, 0x80, 0x7ff, 0xc0}, {2, 0x800, 0xd7ff, 0xe0}, {2, 0xe000, 0xffff, 0xe0}, {3, 0x10000, 0x10ffff, 0xf0}};
    Rests rests;
    std::vector<Edge> edges;
    for (const Length& length : lengths) {
      Ranges inside;
      for (const auto& [first, last] : ranges)
        if (first <= length.last && last >= length.first) inside.emplace_back(std::max(first, length.first), std::min(last, length.last));
      add_bytes(inside, length.rest, length.lead, next, rests, edges);
    }
    return place_with(edges);
  }

  using Rests = std::map<std::pair<uint32_t, Ranges>, uint32_t>;

  // Edges for the first byte of the values in `ranges`, which `rest` bytes of 6 bits follow.
  void add_bytes(const Ranges& ranges, uint32_t rest, uint32_t lead, uint32_t next, Rests& rests, std::vector<Edge>& edges) {
    const uint32_t shift = 6 * rest;
    const char32_t low_bits = (char32_t{1} << shift) - 1;
    std::map<uint32_t, Ranges> by_byte;
    for (const auto& [first, last] : ranges)
      for (uint32_t byte = first >> shift; byte <= last >> shift; byte++)
        by_byte[byte].emplace_back(byte == first >> shift ? first & low_bits : 0, byte == last >> shift ? last & low_bits : low_bits);
    for (auto it = by_byte.begin(); it != by_byte.end();) {
      const Ranges& same = it->second;
      const uint32_t first = it->first;
      uint32_t last = first;
      for (++it; it != by_byte.end() && it->first == last + 1 && it->second == same; ++it) last++;
      edges.push_back(bytes(lead | first, lead | last, rest == 0 ? next : rest_of(same, rest, next, rests)));
    }
  }

  uint32_t rest_of(const Ranges& ranges, uint32_t rest, uint32_t next, Rests& rests) {
    const auto key = std::make_pair(rest, ranges);
    const auto found = rests.find(key);
    if (found != rests.end()) return found->second;
    std::vector<Edge> edges;
    add_bytes(ranges, rest - 1, 0x80, next, rests, edges);
    return rests[key] = place_with(edges);
  }

  // The places from which an end is reached, over edges that `passes` says yes to; a call needs its rule too.
  template <class Passes>
  std::vector<bool> reach_ends(Passes&& passes) const {
    const size_t count = network_.places.size();
    std::vector<uint32_t> starts(count + 1, 0), users, source(network_.edges.size());
    const auto for_each_need = [&](auto&& use) {
      for (uint32_t e = 0; e < network_.edges.size(); e++) {
        const Edge& edge = network_.edges[e];
        if (!passes(edge)) continue;
        use(edge.target, e);
        if (edge.kind == Edge::Kind::call) use(network_.rules[edge.value].start, e);
      }
    };
    for_each_need([&](uint32_t place, uint32_t) { starts[place + 1]++; });
    for (size_t i = 0; i < count; i++) starts[i + 1] += starts[i];
    users.resize(starts[count]);
    std::vector<uint32_t> fill(starts.begin(), starts.end() - 1);
    for_each_need([&](uint32_t place, uint32_t e) { users[fill[place]++] = e; });
    for (uint32_t place = 0; place < count; place++)
      for (uint32_t i = 0; i < network_.places[place].count; i++) source[network_.places[place].first + i] = place;

    std::vector<bool> good(count, false);
    std::vector<uint32_t> todo;
    const auto mark = [&](uint32_t place) {
      if (good[place]) return;
      good[place] = true;
      todo.push_back(place);
    };
    for (uint32_t place = 0; place < count; place++)
      if (network_.places[place].is_end) mark(place);
    while (!todo.empty()) {
      const uint32_t place = todo.back();
      todo.pop_back();
      for (uint32_t i = starts[place]; i < starts[place + 1]; i++) {
        const Edge& edge = network_.edges[users[i]];
        if (good[edge.target] && (edge.kind != Edge::Kind::call || good[network_.rules[edge.value].start])) mark(source[users[i]]);
      }
    }
    return good;
  }

  // Takes out the edges from which no text ever ends.
  void prune() {
    const std::vector<bool> ends = reach_ends([](const Edge&) { return true; });
    if (!ends[network_.rules[network_.root].start])
      throw RangeError("Expected a grammar that some finite text matches for response_format: this one never comes to an end");
    for (Network::Place& place : network_.places) {
      uint32_t kept = 0;
      for (uint32_t i = 0; i < place.count; i++) {
        const Edge edge = network_.edges[place.first + i];
        if (!ends[edge.target] || (edge.kind == Edge::Kind::call && !ends[network_.rules[edge.value].start])) continue;
        network_.edges[place.first + kept++] = edge;
        place.reads |= edge.kind == Edge::Kind::bytes || edge.kind == Edge::Kind::token;
      }
      place.count = kept;
    }
    const std::vector<bool> empties =
        reach_ends([](const Edge& edge) { return edge.kind == Edge::Kind::empty || edge.kind == Edge::Kind::call; });
    for (Network::Rule& rule : network_.rules) rule.can_be_empty = empties[rule.start];
  }

  // Orders the rules so that each stands before those it can begin with: a circle is left recursion.
  void rank() {
    const size_t count = network_.rules.size();
    std::vector<std::vector<uint32_t>> begins(count);
    std::vector<uint32_t> users(count, 0);
    std::vector<bool> seen(network_.places.size(), false);
    for (uint32_t rule = 0; rule < count; rule++) {
      std::vector<uint32_t> todo = {network_.rules[rule].start};
      const auto visit = [&](uint32_t place) {
        if (!seen[place]) todo.push_back(place);
        seen[place] = true;
      };
      while (!todo.empty()) {
        const Network::Place place = network_.places[todo.back()];
        todo.pop_back();
        for (uint32_t i = place.first; i < place.first + place.count; i++) {
          const Edge& edge = network_.edges[i];
          if (edge.kind == Edge::Kind::empty) visit(edge.target);
          if (edge.kind != Edge::Kind::call) continue;
          begins[rule].push_back(edge.value);
          users[edge.value]++;
          if (network_.rules[edge.value].can_be_empty) visit(edge.target);
        }
      }
    }
    std::vector<uint32_t> ready;
    for (uint32_t rule = 0; rule < count; rule++)
      if (users[rule] == 0) ready.push_back(rule);
    uint32_t ranked = 0;
    while (!ready.empty()) {
      const uint32_t rule = ready.back();
      ready.pop_back();
      network_.rules[rule].rank = ranked++;
      for (uint32_t other : begins[rule])
        if (--users[other] == 0) ready.push_back(other);
    }
    if (ranked == count) return;
    // A rule that is left is begun by one that is left: a walk back along them ends in a circle.
    std::vector<uint32_t> user(count, 0);
    uint32_t rule = 0;
    for (uint32_t other = 0; other < count; other++) {
      if (users[other] == 0) continue;
      rule = other;
      for (uint32_t begun : begins[other])
        if (users[begun] > 0) user[begun] = other;
    }
    for (size_t i = 0; i < count; i++) rule = user[rule];
    throw RangeError("Expected a grammar without left recursion for response_format: the rule \"" + names_[rule] +
                     "\" can begin with itself");
  }

  void classify() {
    std::array<bool, 257> border{};
    for (const Network::Place& place : network_.places)
      for (uint32_t i = place.first; i < place.first + place.count; i++) {
        const Edge& edge = network_.edges[i];
        if (edge.kind != Edge::Kind::bytes) continue;
        border[edge.low] = true;
        border[edge.high + 1u] = true;
      }
    for (uint32_t byte = 0; byte < 256; byte++) {
      if (byte == 0 || border[byte]) network_.representative.push_back(static_cast<uint8_t>(byte));
      network_.class_of[byte] = static_cast<uint8_t>(network_.representative.size() - 1);
    }
  }

  const Syntax& syntax_;
  const TokenLookup& find_token_;
  Network network_;
  std::vector<uint32_t> bodies_;    // the node of each rule
  std::vector<std::string> names_;  // of each rule; parts have that of the rule they are in
  std::unordered_map<uint32_t, uint32_t> outlined_;
  std::string owner_;
};

}  // namespace

Network build(const Syntax& syntax, const TokenLookup& find_token) { return Builder(syntax, find_token).run(); }

}  // namespace gt::grammar
