// The first stage of simdjson, which finds where tokens begin, checks UTF-8 and nothing else.
//
//   stage1 FILE     reads FILE; then, for each line of input, prints the nanoseconds (processor time) of one pass over it
//                   with the AVX2 code and with the best code for this machine; `-` where there is none

#include <cstdio>
#include <ctime>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <simdjson.h>

using parser = std::unique_ptr<simdjson::internal::dom_parser_implementation>;

// A parser of one implementation with room for the document, or none.
static parser parser_of(const simdjson::implementation *implementation, size_t bytes) {
  parser made;
  if (implementation == nullptr || !implementation->supported_by_runtime_system()) return nullptr;
  if (implementation->create_dom_parser_implementation(bytes, 1024, made)) return nullptr;
  return made;
}

// The processor time that this thread has spent so far, in nanoseconds.
static long long spent() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void print_pass(parser &with, const simdjson::padded_string &document) {
  if (with == nullptr) {
    std::printf("- ");
    return;
  }
  const long long start = spent();
  const auto error = with->stage1(reinterpret_cast<const uint8_t *>(document.data()), document.size(),
                                  simdjson::stage1_mode::regular);
  const long long taken = spent() - start;
  if (error) std::printf("- ");
  else std::printf("%lld ", taken);
}

int main(int count, char **arguments) {
  if (count != 2) return 2;
  std::ifstream file(arguments[1], std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (text.empty()) return 2;
  const simdjson::padded_string document(text);
  const simdjson::implementation *best = nullptr;
  for (const auto *one : simdjson::get_available_implementations()) {
    // They are listed from the most to the least capable.
    if (best == nullptr && one->supported_by_runtime_system()) best = one;
  }
  parser avx2 = parser_of(simdjson::get_available_implementations()["haswell"], text.size());
  parser native = parser_of(best, text.size());
  while (std::getchar() != EOF) {
    print_pass(avx2, document);
    print_pass(native, document);
    std::printf("\n");
    std::fflush(stdout);
  }
}
