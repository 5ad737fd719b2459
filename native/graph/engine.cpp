#include "graph/engine.h"

#include "errors.h"

namespace gt::graph {

Engine::Engine(const EngineOptions& options)
    : scheduler_(std::make_unique<generation::Scheduler>([&](const std::atomic<bool>& aborted) {
        // The scheduler's flag rises when any one request is cancelled: generate() goes on after that, forward() cannot.
        return std::make_unique<GraphDecoder>(options, stopped_, aborted);
      })) {}

Engine::~Engine() { stop(); }

uint32_t Engine::add_program(std::string json) {
  const auto added = std::make_shared<const Source>(std::move(json));
  uint32_t id;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    programs_[id = ++last_id_] = added;
  }
  // What is wrong with it is for those who run it.
  send([added](GraphDecoder&) { added->program(); }, [](const std::exception_ptr&) {});
  return id;
}

void Engine::remove_program(uint32_t id) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    programs_.erase(id);
  }
  send([id](GraphDecoder& decoder) { decoder.runner().forget(id); }, [](const std::exception_ptr&) {});
}

std::shared_ptr<const Source> Engine::source(uint32_t id) const {
  std::lock_guard<std::mutex> lock(mutex_);
  const auto found = programs_.find(id);
  if (found == programs_.end()) throw RangeError("Expected the number of a program but received " + std::to_string(id));
  return found->second;
}

void Engine::run(uint32_t id, std::shared_ptr<Run> run, Done done) {
  send(
      [this, id, source = source(id), run = std::move(run)](GraphDecoder& decoder) {
        run->match(source->program());
        decoder.runner().run(id, source->program(), *run);
        nanoseconds_ = decoder.runner().backend().compute_nanoseconds();
      },
      std::move(done));
}

void Engine::run(uint32_t id, std::shared_ptr<CachedRun> run, Cached cached, Done done) {
  send(
      [id, source = source(id), run = std::move(run), cached = std::move(cached)](GraphDecoder& decoder) {
        run->run.match(source->program());
        const std::shared_ptr<generation::Cache> cache = decoder.run(id, source->program(), *run);
        cached(cache, decoder.cache_size(*cache));
      },
      std::move(done));
}

void Engine::set_decoder(const std::vector<uint32_t>& ids, int32_t max_positions, bool counts_padding) {
  std::vector<DecodeProgram> programs;
  for (const uint32_t id : ids) {
    const std::shared_ptr<const Source> one = source(id);
    programs.emplace_back(id, std::shared_ptr<const Program>(one, &one->program()));
    if (programs.back().vocab_size != programs[0].vocab_size)
      throw Error("invalid_program", "the programs for generate() have vocabularies of several sizes");
  }
  send([programs = std::move(programs), max_positions,
        counts_padding](GraphDecoder& decoder) { decoder.set_programs(programs, max_positions, counts_padding); },
       [](const std::exception_ptr&) {});
}

void Engine::send(Task task, Done done) {
  scheduler_->run([this, task = std::move(task), done = std::move(done)](generation::Decoder* decoder) mutable {
    std::exception_ptr failure;
    try {
      if (!decoder) throw Error("disposed", "the model was disposed of");
      task(static_cast<GraphDecoder&>(*decoder));
    } catch (...) {
      failure = stopped_ ? std::make_exception_ptr(Error("disposed", "the model was disposed of")) : std::current_exception();
    }
    task = nullptr;  // frees what it holds before anybody hears that it is done
    done(failure);
  });
}

void Engine::stop() {
  stopped_ = true;
  scheduler_->stop();
}

}  // namespace gt::graph
