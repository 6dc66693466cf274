# Renders Liquid cases with ruby-liquid: reads {"tests": [{template, data, templates}]} and writes the
# same with what it gives, "result", or "invalid" with "why" where it refuses. What is given to a
# render is also seen by snippets that are `render`ed, as Dult has it.

require 'json'
require 'liquid'
require 'time'
require 'timeout'

CASE_SECONDS = 5

class Snippets
  def initialize(sources)
    @sources = sources || {}
  end

  def read_template_file(name)
    @sources.fetch(name) { raise Liquid::FileSystemError, "No such template '#{name}'" }
  end
end

def render(test)
  data = test['data'] || {}
  template = Liquid::Template.parse(test['template'], error_mode: :strict, line_numbers: true)
  context = Liquid::Context.build(
    environments: JSON.parse(JSON.dump(data)), static_environments: data, rethrow_errors: true,
    registers: { file_system: Snippets.new(test['templates']) }
  )
  context.strict_filters = true
  template.render(context).force_encoding('UTF-8')
end

def answer(test)
  { 'result' => Timeout.timeout(CASE_SECONDS) { render(test) } }
rescue StandardError, SystemStackError => e
  { 'invalid' => true, 'why' => "#{e.class}: #{e.message}"[0, 200] }
end

tests = JSON.parse($stdin.read).fetch('tests')
puts JSON.dump('version' => Liquid::VERSION, 'tests' => tests.map { |test| test.merge(answer(test)) })
